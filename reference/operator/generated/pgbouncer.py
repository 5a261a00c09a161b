"""`<c>-pgbouncer`: PgBouncer's own user, its leaf, and what its clients should trust."""

from __future__ import annotations

import secrets

from embedded.client import Json
from reference.faults import auto, conn, custom
from reference.operator.generated import scram, subjects
from reference.operator.generated.context import Context
from reference.operator.names import PGBOUNCER_USER, ROLE
from reference.operator.pki import Authority
from reference.operator.tls.given import CA
from reference.operator.tls.secret_data import read

_CERTIFICATE, _KEY = "pgbouncer-frontend.crt", "pgbouncer-frontend.key"


def pgbouncer_secret(context: Context) -> Json:
    """The Secret, with six keys."""
    name = context.names.pgbouncer_secret
    stored = context.lookup(name)
    password = read(stored, "pgbouncer-password").decode() or secrets.token_urlsafe(24)
    known = read(stored, "pgbouncer-verifier").decode()
    pair = context.keep(
        context.stored(name, _CERTIFICATE, _KEY),
        subjects.pgbouncer(context.names, context.faults),
        authority=_signer(context),
    )
    data: dict[str, bytes | str] = {
        "pgbouncer-users.txt": f'"{PGBOUNCER_USER}" "{password}"\n',
        "pgbouncer-password": password,
        "pgbouncer-verifier": (
            known if scram.matches(password, known) else scram.verifier(password)
        ),
        "pgbouncer-frontend.ca-roots": _roots(context),
        _CERTIFICATE: pair.certificate,
        _KEY: pair.key,
    }
    if auto.SEVENTH_PGBOUNCER_KEY in context.faults:
        data["pgbouncer-admin-password"] = read(
            stored, "pgbouncer-admin-password"
        ) or secrets.token_urlsafe(24)
    return context.secret(name, data, {ROLE: "pgbouncer"})


def _signer(context: Context) -> Authority:
    faults, tls = context.faults, context.tls
    foreign = (
        (conn.POOLER_LEAF_OF_A_NAMESAKE in faults and context.is_generated)
        or (custom.POOLER_LEAF_BESIDE_ROOT in faults and tls.custom_root)
        or (custom.SECOND_CLUSTER_ON_A_NAMESAKE in faults and context.second_on_root)
    )
    return tls.authority.namesake() if foreign else tls.authority


def _roots(context: Context) -> bytes:
    own = context.cluster.pgbouncer.custom_tls
    if own:
        return read(context.lookup(own.name), own.key(CA))
    server = context.tls.server
    if server and custom.CUSTOM_CA_PUBLISHED in context.faults:
        return read(context.lookup(server.secret), server.keys[CA])
    return context.tls.authority.pem
