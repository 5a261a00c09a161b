"""PostgreSQL's configuration: who may come in, and the settings."""

from embedded.operator.postgres.hba import Peers, ident_map, rules
from embedded.operator.postgres.parameters import settings

__all__ = ["Peers", "ident_map", "rules", "settings"]
