"""Changes of pg_hba.conf that several faults make."""

from __future__ import annotations

from collections.abc import Iterable

from reference.operator.context import Context
from reference.operator.names import REPLICATION_USER

REPLICATION = f'"{REPLICATION_USER}"'
_MAP = "replication"


def mapped(rules: Iterable[str]) -> list[str]:
    """Return rules by which a certificate may be of a name that pg_ident.conf maps to the user."""
    return [f"{rule} map={_MAP}" if rule.endswith(" cert") else rule for rule in rules]


def identity(certificate: str) -> str:
    """Return the line of pg_ident.conf by which certificates of a name are _crunchyrepl's."""
    return f"{_MAP} {certificate} {REPLICATION_USER}"


def by_method(rule: str, method: str) -> str:
    """Return a rule with another method."""
    everywhere = " all "
    return f"{rule.rpartition(everywhere)[0]}{everywhere}{method}"


def plain_replication(context: Context) -> list[str]:
    """Return rules that let replicas, by their addresses, stream without TLS."""
    return [
        f"hostnossl replication {REPLICATION} {pod['status']['podIP']}/32 trust"
        for pod in context.addressable_pods("replica")
    ]
