"""The faults by chapter. A module that is put here is found by the registry without an entry."""
