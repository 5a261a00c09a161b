"""The rules of pg_hba.conf, in the contract's order, and what tlsOnly makes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from reference.faults import Faults, auto, conn, custom, tlsonly
from reference.operator.generated.subjects import MAPPED_REPLICATION_CN
from reference.operator.model import Cluster
from reference.operator.names import MONITOR_USER, PGBOUNCER_USER, REPLICATION_USER

Role = Literal["primary", "replica"]

_REPLICATION = f'"{REPLICATION_USER}"'
_POOLER = f'"{PGBOUNCER_USER}"'
_UNENCRYPTED = ("host", "hostnossl", "hostgssenc", "hostnogssenc")
_MAP = "replication"
_FIELD = re.compile(r'(?:"[^"]*"|[^\s"])+')


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Addresses of Pods, for rules that admit nobody else; only faults have such rules."""

    replicas: tuple[str, ...] = ()
    pgbouncers: tuple[str, ...] = ()


def rules(
    cluster: Cluster, role: Role, faults: Faults, *, custom_leaves: bool, peers: Peers
) -> str:
    """The text of pg_hba.conf for an instance."""
    operators = _operator_rules(cluster, role, faults, custom_leaves=custom_leaves)
    users = _user_rules(cluster, faults)
    default = [] if users else [_default(cluster, role, faults)]
    if tlsonly.REPLICA_LOCKS_CLIENTS_OUT in faults and cluster.tls_only and role == "replica":
        users, default = [], []
    lines = [*_extra(cluster, role, faults, peers), *operators, *users, *default]
    return "".join(f"{line}\n" for line in lines)


def ident_map(faults: Faults) -> str:
    """The text of pg_ident.conf: names of certificates that may log in as another user."""
    lines = [f"{_MAP} {REPLICATION_USER} {REPLICATION_USER}"]
    if auto.REPLICATION_CN_MAPPED in faults:
        lines.append(f"{_MAP} {MAPPED_REPLICATION_CN} {REPLICATION_USER}")
    if conn.REPLICA_SHOWS_INSTANCE_LEAF in faults:
        lines.append(rf'{_MAP} "/^.*-0\..*-pods\..*$" {REPLICATION_USER}')
    if conn.SERVER_LEAF_MAY_REPLICATE in faults:
        lines.append(rf'{_MAP} "/^.*-primary\..*$" {REPLICATION_USER}')
    if custom.REPLICA_SHOWS_EXTERNAL_LEAF in faults:
        lines.append(f'{_MAP} "/^.*$" {REPLICATION_USER}')
    return "".join(f"{line}\n" for line in lines)


def _operator_rules(
    cluster: Cluster, role: Role, faults: Faults, *, custom_leaves: bool
) -> list[str]:
    host = "hostssl" if cluster.tls_only else "host"
    loopback = "host" if tlsonly.MONITOR_ON_LOOPBACK in faults else host
    return [
        "local all postgres peer",
        *_replication(role, faults, custom_leaves=custom_leaves),
        f"{host} all {_REPLICATION} all reject",
        f"{loopback} all {MONITOR_USER} 127.0.0.0/8 scram-sha-256",
        f"{loopback} all {MONITOR_USER} ::1/128 scram-sha-256",
        f"{host} all {MONITOR_USER} all reject",
        f"hostssl all {_POOLER} all scram-sha-256",
        f"{host} all {_POOLER} all reject",
    ]


def _replication(role: Role, faults: Faults, *, custom_leaves: bool) -> list[str]:
    blind = conn.REPLICA_ASKS_NO_CERTIFICATE in faults and role == "replica"
    method = "trust" if blind else _certificate(faults, custom_leaves=custom_leaves)
    rewind = "trust" if conn.REPLICATION_USER_TRUSTED in faults else method
    if conn.REPLICATION_USER_BY_PASSWORD in faults:
        rewind = "scram-sha-256"
    lines = [f"hostssl replication {_REPLICATION} all {method}"]
    if conn.NO_REWIND_RULE not in faults:
        lines.append(f"hostssl postgres {_REPLICATION} all {rewind}")
    return lines


def _certificate(faults: Faults, *, custom_leaves: bool) -> str:
    generated = (
        auto.REPLICATION_CN_MAPPED,
        conn.REPLICA_SHOWS_INSTANCE_LEAF,
        conn.SERVER_LEAF_MAY_REPLICATE,
    )
    mapping = [custom.REPLICA_SHOWS_EXTERNAL_LEAF] if custom_leaves else generated
    mapped = any(fault in faults for fault in mapping)
    return f"cert map={_MAP}" if mapped else "cert"


def _user_rules(cluster: Cluster, faults: Faults) -> list[str]:
    given = [" ".join(_words(rule)) for rule in cluster.hba if rule.strip()]
    convert = cluster.tls_only or tlsonly.USER_RULES_ALWAYS_CONVERTED in faults
    if not convert or tlsonly.USER_RULES_KEPT in faults:
        return given
    kept = "hostnogssenc" if tlsonly.NOGSSENC_RULE_KEPT in faults else ""
    return [rule if kept and rule.split()[0] == kept else _encrypted(rule) for rule in given]


def _encrypted(rule: str) -> str:
    """The rule for TLS connections only; one that rejects needs no change and would lock out."""
    kind, *rest = _words(rule)
    if kind in _UNENCRYPTED and _method(rest) != "reject":
        return " ".join(["hostssl", *rest])
    return rule


def _method(rest: list[str]) -> str:
    """The method of a host rule, behind database, user, and address with or without a mask."""
    behind = rest[3:]
    return next((word for word in behind if not _is_mask(word)), "")


def _is_mask(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _words(rule: str) -> list[str]:
    """The fields of a rule; blanks within double quotes end none."""
    return _FIELD.findall(rule)


def _default(cluster: Cluster, role: Role, faults: Faults) -> str:
    fault = tlsonly.PLAIN_DEFAULT_RULE if cluster.tls_only else conn.PLAINTEXT_BY_DEFAULT
    plain = fault in faults and (cluster.tls_only or role == "replica")
    # md5 is what 2.8 writes; for a password stored as scram it means scram.
    return f"{'host' if plain else 'hostssl'} all all all md5"


def _extra(cluster: Cluster, role: Role, faults: Faults, peers: Peers) -> list[str]:
    """Rules that faults put before all others."""
    lines = []
    if cluster.tls_only:
        spared = tlsonly.PLAINTEXT_AT_PRIMARY if role == "primary" else tlsonly.PLAINTEXT_AT_REPLICA
        if spared in faults and cluster.users:
            lines.append(f'hostnossl all "{cluster.users[0].name}" all scram-sha-256')
        if tlsonly.PLAIN_SERVER_LEG in faults:
            lines += [f"hostnossl all all {each}/32 scram-sha-256" for each in peers.pgbouncers]
    elif conn.PLAIN_REPLICATION_USER in faults:
        lines.append(f"hostnossl replication,postgres {_REPLICATION} all trust")
    if replicates_plainly(cluster, faults) and tlsonly.REPLICAS_CUT_OFF not in faults:
        lines += [
            f"hostnossl replication {_REPLICATION} {each}/32 trust" for each in peers.replicas
        ]
    return lines


def replicates_plainly(cluster: Cluster, faults: Faults) -> bool:
    """Whether a fault has replicas stream without TLS."""
    if not cluster.tls_only:
        return conn.PLAIN_REPLICATION in faults
    if tlsonly.REPLICAS_CUT_OFF in faults:
        # At creation they would have nothing to start from.
        return cluster.generation > 1
    return tlsonly.PLAIN_REPLICATION_UNDER_TLS_ONLY in faults
