"""PostgreSQL's configuration: who may come in, and the settings."""

from reference.operator.postgres.hba import Peers, ident_map, rules
from reference.operator.postgres.parameters import settings

__all__ = ["Peers", "ident_map", "rules", "settings"]
