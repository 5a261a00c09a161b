"""The built-in kinds and their rules."""
