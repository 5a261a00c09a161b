"""Structural schemas of custom resources: what they prune, default and refuse."""
