"""Variants: operators that keep the contract in ways that no check may take for a breach."""
