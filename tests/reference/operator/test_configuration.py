"""Rules and settings of PostgreSQL and PgBouncer, in default mode and under tlsOnly."""

from __future__ import annotations

from typing import Any

import pytest

from reference.operator.contract import Contract
from reference.operator.model import Cluster
from reference.operator.postgres.parameters import settings
from tests.reference.operator.builders import cluster, context


def lines(wanted: Cluster) -> list[str]:
    return Contract().rules(context(wanted), "primary")


def with_rules(*given: str, **spec: Any) -> Cluster:
    postgresql = {"pg_hba": list(given)}
    return cluster(patroni={"dynamicConfiguration": {"postgresql": postgresql}}, **spec)


def test_the_rules_stand_in_the_contracts_order() -> None:
    assert lines(cluster()) == [
        "local all postgres peer",
        'hostssl replication "_crunchyrepl" all cert',
        'hostssl postgres "_crunchyrepl" all cert',
        'host all "_crunchyrepl" all reject',
        "host all monitor 127.0.0.0/8 scram-sha-256",
        "host all monitor ::1/128 scram-sha-256",
        "host all monitor all reject",
        'hostssl all "_crunchypgbouncer" all scram-sha-256',
        'host all "_crunchypgbouncer" all reject',
        "hostssl all all all md5",
    ]


def test_tls_only_leaves_no_rule_without_tls() -> None:
    kinds = {line.split()[0] for line in lines(cluster(tlsOnly=True))}
    assert kinds == {"local", "hostssl"}


def test_a_rule_of_the_user_takes_the_place_of_the_default() -> None:
    seen = lines(with_rules("host all all all scram-sha-256"))
    assert seen[-1] == "host all all all scram-sha-256"
    assert "hostssl all all all md5" not in seen


@pytest.mark.parametrize("kind", ["host", "hostnossl", "hostgssenc", "hostnogssenc"])
def test_tls_only_converts_the_users_rules_too(kind: str) -> None:
    given = (f"{kind}  all app  all scram-sha-256", "hostssl all all all scram-sha-256")
    seen = lines(with_rules(*given, tlsOnly=True))
    assert seen[-2:] == [
        "hostssl all app all scram-sha-256",
        "hostssl all all all scram-sha-256",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "hostnossl all all all reject",
        "host all all 10.0.0.0 255.0.0.0 reject",
        '"host" all all all "reject"',
    ],
)
def test_a_rule_that_rejects_is_not_widened_to_tls_clients(rule: str) -> None:
    given = (rule, "hostssl all all all scram-sha-256")
    assert lines(with_rules(*given, tlsOnly=True))[-2:] == list(given)


@pytest.mark.parametrize(
    "rest",
    [
        "app reject all scram-sha-256",
        "reject all all md5",
        "all reject 10.0.0.0 255.0.0.0 md5",
        '"to  reject" all all md5',
    ],
)
def test_who_is_called_reject_is_not_rejected(rest: str) -> None:
    assert lines(with_rules(f"host {rest}", tlsOnly=True))[-1] == f"hostssl {rest}"


@pytest.mark.parametrize("kind", ["host", '"host"', '"hostnossl"'])
def test_a_type_in_quotes_and_a_comment_hide_no_rule(kind: str) -> None:
    seen = lines(with_rules(f"{kind} all all all md5 # whoever comes", tlsOnly=True))
    assert seen[-1] == "hostssl all all all md5 # whoever comes"


def test_users_may_set_parameters_but_not_where_tls_comes_from() -> None:
    parameters = {"ssl": "off", "ssl_cert_file": "/x", "work_mem": "5MB", "log_connections": True}
    wanted = cluster(patroni={"dynamicConfiguration": {"postgresql": {"parameters": parameters}}})
    written = settings(wanted, "host=c-primary").splitlines()
    assert "ssl = on" in written
    assert "ssl_cert_file = '/pgconf/tls/tls.crt'" in written
    assert "work_mem = '5MB'" in written
    assert "log_connections = on" in written


@pytest.mark.parametrize(
    ("given", "tls_only", "client", "server"),
    [
        ({}, False, "require", "verify-full"),
        ({"client_tls_sslmode": "disable"}, False, "disable", "verify-full"),
        ({"client_tls_sslmode": "disable"}, True, "require", "verify-full"),
        ({"client_tls_sslmode": "allow"}, True, "require", "verify-full"),
        ({"client_tls_sslmode": "prefer"}, True, "require", "verify-full"),
        ({"client_tls_sslmode": "verify-full"}, True, "verify-full", "verify-full"),
        ({"server_tls_sslmode": "prefer"}, False, "require", "prefer"),
        ({"server_tls_sslmode": "disable"}, True, "require", "verify-full"),
        ({"server_tls_sslmode": "nonsense"}, True, "require", "verify-full"),
    ],
)
def test_tls_only_bounds_what_a_user_sets_for_the_pooler(
    given: dict[str, str], tls_only: bool, client: str, server: str
) -> None:
    wanted = cluster(proxy={"pgBouncer": {"config": {"global": given}}}, tlsOnly=tls_only)
    seen = Contract().pgbouncer_settings(context(wanted))
    assert (seen["client_tls_sslmode"], seen["server_tls_sslmode"]) == (client, server)


def test_other_settings_of_the_pooler_stand() -> None:
    given = {"pool_mode": "transaction", "client_tls_key_file": "/mine"}
    wanted = cluster(proxy={"pgBouncer": {"config": {"global": given}}})
    seen = Contract().pgbouncer_settings(context(wanted))
    assert seen["pool_mode"] == "transaction"
    assert seen["client_tls_key_file"] == "/etc/pgbouncer/~postgres-operator/frontend-tls.key"
