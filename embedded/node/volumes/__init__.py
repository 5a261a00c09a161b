"""Volumes as real files: where their content comes from and how it reaches the disk."""
