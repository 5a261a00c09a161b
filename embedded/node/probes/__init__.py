"""Probes: how a container is asked, how often, and what an answer changes."""
