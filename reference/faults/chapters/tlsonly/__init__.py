"""Faults of the chapter TLSONLY: plaintext where only encrypted channels were promised."""

SAME_CLUSTER = "where the same cluster is looked at"
IN_THE_RULES = "the rule that lets it in is seen"
TOGGLED = (("toggled", 3.0),)
SERVED = (("served-after-update", 3.0),)
"""A setting that stays as it was is waited for after each change of PgBouncer's settings."""
