"""The inventory: keys, labels, owners; and that nothing is made twice."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import User
from reference.operator.pki import Authority, encoding
from reference.operator.postgres import scram
from tests.reference.operator.builders import (
    NOW,
    Json,
    cluster,
    context,
    contract,
    external,
    instance,
    internal,
    leaf_secret,
    secret,
)

CLUSTER = "postgres-operator.crunchydata.com/cluster"


def everything(made: Context, contract: Contract | None = None) -> dict[str, Json]:
    drafts = (contract or Contract()).secrets(made, [instance()])
    return {each.name: each.manifest(made.cluster) for each in drafts}


def value(obj: Json, key: str) -> bytes:
    return base64.b64decode(obj["data"][key])


def settled(*faults: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """All Secrets of a cluster as first made, and as made again with the first there."""
    broken = contract(*faults)
    first = everything(context(cluster(), contract=broken), broken)
    again = context(cluster(), *first.values(), contract=broken)
    return first, everything(again, broken)


def test_the_inventory_has_the_keys_of_the_contract() -> None:
    secrets, _ = settled()
    counts = {name: len(each["data"]) for name, each in secrets.items()}
    del counts["c-roles"]
    assert counts == {
        "c-cluster-ca-cert": 2,
        "c-cluster-cert": 3,
        "c-replication-cert": 3,
        "c-pgbackrest": 5,
        "c-pgbouncer": 6,
        "c-pguser-c": 12,
        "c-instance1-abcd-certs": 6,
    }
    assert {each["type"] for each in secrets.values()} == {"Opaque"}


def test_no_tls_secret_has_an_owner_and_all_but_the_root_have_labels() -> None:
    secrets, _ = settled()
    roles = secrets.pop("c-roles")
    assert roles["metadata"]["ownerReferences"]
    for name, each in secrets.items():
        assert "ownerReferences" not in each["metadata"], name
    assert "labels" not in secrets.pop("c-cluster-ca-cert")["metadata"]
    assert {each["metadata"]["labels"][CLUSTER] for each in secrets.values()} == {"c"}


def test_what_is_there_is_kept() -> None:
    first, second = settled()
    assert first == second


def test_all_leaves_stand_on_the_published_root() -> None:
    secrets, _ = settled()
    root = encoding.certificate(value(secrets["c-cluster-ca-cert"], "root.crt"))
    for name, key in (
        ("c-cluster-cert", "tls.crt"),
        ("c-replication-cert", "tls.crt"),
        ("c-pgbouncer", "pgbouncer-frontend.crt"),
        ("c-pgbackrest", "pgbackrest-client.crt"),
        ("c-pgbackrest", "pgbackrest-repo-host.crt"),
        ("c-instance1-abcd-certs", "dns.crt"),
    ):
        leaf = encoding.certificate(value(secrets[name], key))
        leaf.verify_directly_issued_by(root)
        private = encoding.private_key(value(secrets[name], key.replace(".crt", ".key")))
        assert encoding.belongs(private, leaf)


def test_the_uri_carries_the_password_encoded() -> None:
    secrets, _ = settled()
    user = secrets["c-pguser-c"]
    uri = urlsplit(value(user, "pgbouncer-uri").decode())
    assert (uri.scheme, uri.username, uri.hostname, uri.port, uri.path) == (
        "postgresql",
        "c",
        "c-pgbouncer.ns.svc",
        5432,
        "/c",
    )
    password = value(user, "password").decode()
    assert unquote(uri.password or "") == password
    assert uri.password != password, "a password that needs no encoding proves nothing"
    assert scram.matches(password, value(user, "verifier").decode())


def test_the_users_secret_has_the_keys_that_the_documentation_names() -> None:
    secrets, _ = settled()
    assert set(secrets["c-pguser-c"]["data"]) == {
        "dbname",
        "host",
        "jdbc-uri",
        "password",
        "pgbouncer-host",
        "pgbouncer-jdbc-uri",
        "pgbouncer-port",
        "pgbouncer-uri",
        "port",
        "uri",
        "user",
        "verifier",
    }


def test_the_jdbc_uris_carry_user_and_password_as_parameters() -> None:
    user = settled()[0]["c-pguser-c"]
    password = value(user, "password").decode()
    for key, host in (
        ("jdbc-uri", "c-primary.ns.svc"),
        ("pgbouncer-jdbc-uri", "c-pgbouncer.ns.svc"),
    ):
        scheme, _, rest = value(user, key).decode().partition(":")
        uri = urlsplit(rest)
        assert (scheme, uri.scheme, uri.hostname, uri.port, uri.path) == (
            "jdbc",
            "postgresql",
            host,
            5432,
            "/c",
        )
        given = parse_qs(uri.query, strict_parsing=True)
        assert (given["user"], given["password"]) == (["c"], [password])


def test_a_user_without_database_has_no_uri() -> None:
    made = context(cluster(users=[{"name": "lonely"}]))
    user = User(name="lonely", databases=(), options="", secret="c-pguser-lonely")
    assert "uri" not in Contract().user_secret(made, user).data


def test_scram_agrees_with_the_example_of_the_rfc() -> None:
    # RFC 7677, section 3: password, salt and count of its exchange.
    stored = (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert scram.matches("pencil", stored)
    assert not scram.matches("pencils", stored)
    assert not scram.matches("pencil", "md5abc")


def test_roles_are_one_statement_a_line() -> None:
    secrets, _ = settled()
    lines = value(secrets["c-roles"], "roles.sql").decode().splitlines()
    assert all(line.endswith(";") for line in lines)
    assert 'CREATE DATABASE "c" STRATEGY file_copy;' in lines


def test_a_custom_pair_is_not_generated_and_a_custom_root_not_copied() -> None:
    root = Authority.generate(NOW)
    given = [
        leaf_secret("tls", external(root), root),
        leaf_secret("repl", internal(root), root),
        secret("root", {"root.crt": root.pem, "root.key": root.key_pem}),
    ]
    wanted = cluster(
        secrets={
            "customTLSSecret": {"name": "tls"},
            "customReplicationTLSSecret": {"name": "repl"},
            "customRootCATLSSecret": {"name": "root"},
        }
    )
    made = everything(context(wanted, *given))
    assert "c-cluster-cert" not in made
    assert "c-replication-cert" not in made
    assert "c-cluster-ca-cert" not in made
    assert value(made["c-pgbouncer"], "pgbouncer-frontend.ca-roots") == root.pem


@pytest.mark.parametrize("uid", ["uid-of-c"])
def test_pgbackrests_client_is_named_by_the_uid(uid: str) -> None:
    secrets, _ = settled()
    leaf = encoding.certificate(value(secrets["c-pgbackrest"], "pgbackrest-client.crt"))
    assert encoding.common_name(leaf) == f"pgbackrest@{uid}"
