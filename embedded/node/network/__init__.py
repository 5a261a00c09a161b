"""Addresses, names and Service addresses inside the box."""
