"""The program of a node that commits faults: `python -m reference.faults.node`."""
