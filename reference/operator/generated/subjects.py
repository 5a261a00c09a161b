"""CN and names of each generated leaf."""

from __future__ import annotations

from reference.faults import Faults, auto, conn
from reference.operator.names import REPLICATION_USER, Names
from reference.operator.pki import Subject

MAPPED_REPLICATION_CN = "replication"


def server(names: Names, faults: Faults) -> Subject:
    """The database's: the primary Service's names, then the replicas Service's."""
    primary = _dotted(names.dns("primary"), faults)
    replicas = _dotted(names.dns("replicas"), faults)
    if auto.REPLICAS_NAME_MISSING in faults:
        replicas = tuple(name for name in replicas if name != names.dns("replicas")[2])
    by_cert_manager = auto.SERVER_CN_OF_CERT_MANAGER in faults
    common_name = names.of("postgres") if by_cert_manager else primary[0]
    return Subject(common_name=common_name, names=primary + replicas)


def replication(faults: Faults) -> Subject:
    """A replica's, as a client: the CN is the database user that it logs in as."""
    mapped = auto.REPLICATION_CN_MAPPED in faults
    common_name = MAPPED_REPLICATION_CN if mapped else REPLICATION_USER
    return Subject(common_name=common_name, names=(REPLICATION_USER,))


def instance(names: Names, name: str, faults: Faults) -> Subject:
    """An instance's: the names of its Pod."""
    forms = _dotted(names.pod_dns(name), faults)
    if auto.INSTANCE_NAME_ENDS_IN_A_DOT in faults:
        forms = (forms[0] + ".", *forms[1:])
    if conn.LOCALHOST_IN_LEAF in faults:
        forms = (*forms, "localhost")
    return Subject(common_name=forms[0], names=forms)


def pgbouncer(names: Names, faults: Faults) -> Subject:
    """PgBouncer's: the names of its Service."""
    forms = _dotted(names.dns("pgbouncer"), faults)
    common_name = forms[0]
    if conn.POOLER_NAME_MISSING in faults:
        forms = (*forms[:2], *forms[3:])
    return Subject(common_name=common_name, names=forms)


def pgbackrest_client(uid: str) -> Subject:
    """PgBackRest's, as a client: the server authorizes it by this CN."""
    common_name = f"pgbackrest@{uid}"
    return Subject(common_name=common_name, names=(common_name,))


def pgbackrest_repo(names: Names, faults: Faults) -> Subject:
    """The repository host's: the names of its Pod."""
    forms = _dotted(names.pod_dns(names.of("repo-host")), faults)
    return Subject(common_name=forms[0], names=forms)


def _dotted(forms: tuple[str, ...], faults: Faults) -> tuple[str, ...]:
    return (forms[0] + ".", *forms[1:]) if auto.NAMES_END_IN_A_DOT in faults else forms
