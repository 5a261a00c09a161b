"""The shapes of the built-in kinds: field names, numbers, types and list keys."""
