"""The root and the leaf Secrets, with the keys and labels of the contract's inventory."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from embedded.client import Json
from reference.faults import auto, conn, custom, fin
from reference.operator.generated import subjects
from reference.operator.generated.context import Context
from reference.operator.generated.oldroot import with_old_root
from reference.operator.names import CERTIFICATE, INSTANCE, INSTANCE_SET, PGBACKREST
from reference.operator.pki import Authority, LeafShape, Pair, encoding
from reference.operator.tls import Source
from reference.operator.tls.given import CA, KEY
from reference.operator.tls.given import CERTIFICATE as LEAF
from reference.operator.tls.secret_data import read

_TOUCHED = "pgv2.percona.com/touched"


def root_secret(context: Context) -> Json | None:
    """`<c>-cluster-ca-cert`; none where the user gave the root."""
    if context.tls.custom_root and custom.ROOT_COPIED not in context.faults:
        return None
    authority = context.tls.authority
    data = {
        "root.crt": with_old_root(context, auto.OLD_ROOT_PUBLISHED),
        "root.key": authority.key_pem,
    }
    if auto.CA_SECRET_OF_CERT_MANAGER in context.faults:
        data = {LEAF: authority.pem, KEY: authority.key_pem, CA: authority.pem}
    owned = fin.ROOT_SECRET_OWNED in context.faults
    secret = context.secret(context.names.root_secret, data, {}, owned=owned)
    # As the contract has it, this Secret alone cannot be found by the cluster's labels.
    del secret["metadata"]["labels"]
    return secret


def server_source(context: Context) -> Source:
    """Where the leaf lies that the database serves."""
    return context.tls.server or Source(secret=context.names.server_secret)


def replication_source(context: Context) -> Source:
    """Where the leaf lies that replicas show."""
    renamed = {CA: _replication_ca(context)}
    generated = Source(secret=context.names.replication_secret, keys=renamed)
    return context.tls.replication or generated


def server_secret(context: Context) -> Json | None:
    """`<c>-cluster-cert`; none where the user gave that leaf."""
    if context.tls.server and custom.GENERATED_PAIR_BESIDE not in context.faults:
        return None
    pair = _server_pair(context)
    authority = context.tls.authority
    published = with_old_root(context, auto.OLD_ROOT_TRUSTED)
    if custom.CUSTOM_ROOT_IN_COMPANY in context.faults and context.tls.custom_root:
        published = _in_company(authority, read(context.lookup(context.names.server_secret), CA))
    data = {LEAF: pair.certificate, KEY: pair.key, CA: published}
    typed = conn.TYPED_SECRET in context.faults
    return context.secret(
        context.names.server_secret,
        data,
        {CERTIFICATE: "postgres-tls"},
        kind="kubernetes.io/tls" if typed else "Opaque",
    )


def replication_secret(context: Context, server: Json | None) -> Json | None:
    """`<c>-replication-cert`; none where the user gave that leaf."""
    if context.tls.replication and custom.GENERATED_PAIR_BESIDE not in context.faults:
        return None
    name, faults = context.names.replication_secret, context.faults
    pair = context.keep(
        context.stored(name, LEAF, KEY),
        subjects.replication(faults),
        shape=_replication_shape(context, server),
    )
    authority = context.tls.authority
    published = with_old_root(context, auto.OLD_ROOT_TRUSTED)
    reissue = custom.CUSTOM_ROOT_REISSUED if context.tls.custom_root else _REISSUED
    if reissue in faults:
        published = _reissued(authority, read(context.lookup(name), CA))
    data = {LEAF: pair.certificate, KEY: pair.key, _replication_ca(context): published}
    if auto.REPLICATION_CA_EMPTY in faults:
        data[CA] = b""
    unlabelled = auto.UNLABELLED_REPLICATION_SECRET in faults
    labels = {} if unlabelled else {CERTIFICATE: "replication-client-tls"}
    return context.secret(name, data, labels)


def instance_secret(context: Context, instance: str, instance_set: str) -> Json:
    """`<inst>-certs`: one leaf, in the shapes that Patroni and pgBackRest read."""
    name = f"{instance}-certs"
    pair = context.keep(
        context.stored(name, "dns.crt", "dns.key"),
        subjects.instance(context.names, instance, context.faults),
    )
    roots = context.tls.authority.pem
    if auto.PATRONI_ROOT_REISSUED in context.faults and not context.tls.custom_root:
        roots = _reissued(context.tls.authority, read(context.lookup(name), "patroni.ca-roots"))
    data = {
        "dns.crt": pair.certificate,
        "dns.key": pair.key,
        "patroni.ca-roots": roots,
        "patroni.crt-combined": pair.key + pair.certificate,
        "pgbackrest-server.crt": pair.certificate,
        "pgbackrest-server.key": pair.key,
    }
    if custom.AUTHORITY_AS_LEAF in context.faults and context.tls.custom_root:
        known = read(context.lookup(name), "pgbackrest-server.crt")
        data["pgbackrest-server.crt"] = known or context.tls.authority.namesake().pem
    owned = fin.INSTANCE_SECRET_OWNED in context.faults and not context.cluster.finalizers
    labels = {INSTANCE: instance, INSTANCE_SET: instance_set}
    return context.secret(name, data, labels, owned=owned)


def pgbackrest_secret(context: Context) -> Json:
    """`<c>-pgbackrest`, complete although no repository host runs."""
    name, faults = context.names.pgbackrest_secret, context.faults
    touched = hashlib.sha256(
        json.dumps(dict(context.cluster.annotations), sort_keys=True).encode()
    ).hexdigest()
    client = context.keep(
        _unless_touched(context, name, touched),
        subjects.pgbackrest_client(context.cluster.uid),
    )
    repo = _repo_pair(context, name, client)
    data = {
        "pgbackrest.ca-roots": context.tls.authority.pem,
        "pgbackrest-client.crt": client.certificate,
        "pgbackrest-client.key": client.key,
        "pgbackrest-repo-host.crt": repo.certificate,
        "pgbackrest-repo-host.key": repo.key,
    }
    if custom.REPO_LEAF_MISSING in faults and context.tls.custom_root:
        del data["pgbackrest-repo-host.crt"], data["pgbackrest-repo-host.key"]
    annotations = {_TOUCHED: touched} if auto.LEAF_PER_TOUCH in faults else None
    return context.secret(name, data, {PGBACKREST: ""}, annotations=annotations)


_REISSUED = auto.REPLICATION_CA_REISSUED


def _server_pair(context: Context) -> Pair:
    return context.keep(
        context.stored(context.names.server_secret, LEAF, KEY),
        subjects.server(context.names, context.faults),
        shape=LeafShape(extended_usage=auto.LEAF_WITH_EKU in context.faults),
    )


def _replication_shape(context: Context, server: Json | None) -> LeafShape:
    short = auto.SHORT_LEAF in context.faults
    lifetime = timedelta(days=364) if short else LeafShape().lifetime
    shared = auto.ONE_KEY_FOR_BOTH in context.faults and server is not None
    return LeafShape(
        lifetime=lifetime, key=encoding.private_key(read(server, KEY)) if shared else None
    )


def _replication_ca(context: Context) -> str:
    elsewhere = (auto.REPLICATION_CA_RENAMED, auto.REPLICATION_CA_EMPTY)
    return "ca.pem" if any(fault in context.faults for fault in elsewhere) else CA


def _repo_pair(context: Context, name: str, client: Pair) -> Pair:
    foreign = custom.REPO_LEAF_OF_A_NAMESAKE in context.faults and context.tls.custom_root
    wrong_key = auto.KEY_OF_ANOTHER_LEAF in context.faults
    pair = context.keep(
        context.stored(name, "pgbackrest-repo-host.crt", "pgbackrest-repo-host.key"),
        subjects.pgbackrest_repo(context.names, context.faults),
        authority=context.tls.authority.namesake() if foreign else None,
        any_key=wrong_key,
    )
    return Pair(certificate=pair.certificate, key=client.key) if wrong_key else pair


def _unless_touched(context: Context, name: str, touched: str) -> Pair:
    annotations = ((context.lookup(name) or {}).get("metadata") or {}).get("annotations") or {}
    if auto.LEAF_PER_TOUCH in context.faults and annotations.get(_TOUCHED) != touched:
        return Pair(certificate=b"", key=b"")
    return context.stored(name, "pgbackrest-client.crt", "pgbackrest-client.key")


def _reissued(authority: Authority, stored: bytes) -> bytes:
    try:
        known = encoding.certificate(stored)
    except encoding.BadPemError:
        return authority.reissued()
    same_key = known.public_key() == authority.certificate.public_key()
    return stored if same_key and known != authority.certificate else authority.reissued()


def _in_company(authority: Authority, stored: bytes) -> bytes:
    """The root, and after it another of its name: always the same one."""
    alone = authority.pem
    return (
        stored if stored.startswith(alone) and stored != alone else alone + authority.namesake().pem
    )
