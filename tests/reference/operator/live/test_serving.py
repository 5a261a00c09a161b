"""Clusters that run: who gets in, by which certificate, and what a change does to them."""

from __future__ import annotations

import base64

import pytest

from embedded.client import SECRETS
from reference.operator.names import Names
from reference.operator.pki import Authority, Pair, Profile, Subject, encoding, issue
from reference.operator.pki.authority import BACKDATE
from reference.operator.resources import PGCLUSTERS
from tests.reference.operator.builders import NOW, Json, internal, leaf_secret
from tests.reference.operator.builders import secret as secret_of
from tests.reference.operator.live.clusters import STREAMING, LiveClusters

ROOT = Authority.generate(NOW)
REFS = {"customTLSSecret": {"name": "tls"}, "customReplicationTLSSecret": {"name": "repl"}}
HOST_RULE = {"postgresql": {"pg_hba": ["host all all all scram-sha-256"]}}


def external(live: LiveClusters, cluster: str) -> Pair:
    names = Names(namespace=live.namespace, cluster=cluster)
    forms = names.dns("primary") + names.dns("replicas")
    subject = Subject(common_name=forms[0], names=forms)
    return issue(Profile(issuer=ROOT, subject=subject), NOW)


def serial(pair: Pair) -> int:
    return encoding.certificate(pair.certificate).serial_number


def _await_serials(live: LiveClusters, cluster: str, expected: set[int]) -> None:
    """Ask until it shows: the reload is the database's own and leaves no trace in the API."""
    for _ in range(200):
        served = live.serials(cluster)
        if served == expected:
            return
    assert served == expected


@pytest.fixture(scope="module")
def clusters(live: LiveClusters) -> LiveClusters:
    """`plain` with generated certificates, `given` with custom ones; made side by side."""
    live.give(leaf_secret("tls", external(live, "given"), ROOT))
    live.give(leaf_secret("repl", internal(ROOT), ROOT))
    live.cluster("plain", patroni={"dynamicConfiguration": HOST_RULE})
    live.cluster("given", secrets=REFS)
    live.ready("plain", "given")
    return live


def test_a_user_gets_in_through_the_pooler_and_directly(clusters: LiveClusters) -> None:
    for service in ("pgbouncer", "primary", "replicas"):
        for sslmode in ("verify-ca", "verify-full"):
            done = clusters.login("plain", service, sslmode)
            assert done.stdout == b"plain\n", done.stderr.decode()


def test_the_replica_streams_by_the_certificate_of_its_cluster(clusters: LiveClusters) -> None:
    for cluster, secret in (("plain", "plain-replication-cert"), ("given", "repl")):
        leaf = encoding.certificate(clusters.value(secret, "tls.crt"))
        expected = f"t|/CN=_crunchyrepl|{leaf.serial_number}"
        assert clusters.sql(cluster, STREAMING) == [expected]


def test_each_cluster_has_a_system_identifier_of_its_own(clusters: LiveClusters) -> None:
    query = "SELECT system_identifier FROM pg_control_system()"
    first, second = (clusters.sql(name, query) for name in ("plain", "given"))
    assert first != second
    assert clusters.sql("plain", query, "replica") == first


def test_a_client_of_another_root_is_not_satisfied(clusters: LiveClusters) -> None:
    done = clusters.login("plain", "pgbouncer", "verify-ca", at="given")
    assert b"certificate verify failed" in done.stderr


def test_new_content_is_served_without_a_restart(clusters: LiveClusters) -> None:
    before = clusters.lives("given")
    renewed = external(clusters, "given")
    data = leaf_secret("tls", renewed, ROOT)["data"]
    clusters.run(clusters.client.patch(SECRETS, "tls", clusters.namespace, {"data": data}))
    _await_serials(clusters, "given", {serial(renewed)})
    assert clusters.lives("given") == before


def test_a_leaf_that_is_due_is_replaced_and_served(clusters: LiveClusters) -> None:
    before = clusters.lives("plain")
    root = Authority.load(
        clusters.value("plain-cluster-ca-cert", "root.crt"),
        clusters.value("plain-cluster-ca-cert", "root.key"),
        NOW,
    )
    names = Names(namespace=clusters.namespace, cluster="plain")
    forms = names.dns("primary") + names.dns("replicas")
    subject = Subject(common_name=forms[0], names=forms)
    due = issue(Profile(issuer=root, subject=subject, lifetime=BACKDATE / 4), NOW)
    data = leaf_secret("plain-cluster-cert", due, root)["data"]
    clusters.run(
        clusters.client.patch(SECRETS, "plain-cluster-cert", clusters.namespace, {"data": data})
    )
    clusters.wait(
        SECRETS,
        "plain-cluster-cert",
        lambda obj: (obj or {})["data"]["tls.crt"] != data["tls.crt"],
        "the leaf that was due is replaced",
    )
    renewed = encoding.certificate(clusters.value("plain-cluster-cert", "tls.crt"))
    renewed.verify_directly_issued_by(root.certificate)
    _await_serials(clusters, "plain", {renewed.serial_number})
    assert clusters.lives("plain") == before


def test_with_a_root_that_was_lost_all_leaves_are_made_anew(clusters: LiveClusters) -> None:
    old = clusters.value("plain-cluster-ca-cert", "root.crt")
    (lost,) = [
        each
        for each in clusters.run(clusters.client.list(SECRETS, clusters.namespace)).items
        if each["metadata"]["name"] == "plain-cluster-ca-cert"
    ]
    clusters.run(clusters.client.delete(SECRETS, "plain-cluster-ca-cert", clusters.namespace))
    clusters.wait(
        SECRETS,
        "plain-cluster-ca-cert",
        lambda obj: obj is not None and obj["metadata"]["uid"] != lost["metadata"]["uid"],
        "the root is made anew",
    )
    pem = clusters.value("plain-cluster-ca-cert", "root.crt")
    assert pem != old
    clusters.wait(
        SECRETS,
        "plain-cluster-cert",
        lambda obj: base64.b64decode((obj or {})["data"]["ca.crt"]) == pem,
        "the external leaf is of the new root",
    )
    leaf = encoding.certificate(clusters.value("plain-cluster-cert", "tls.crt"))
    leaf.verify_directly_issued_by(encoding.certificate(pem))
    _await_serials(clusters, "plain", {leaf.serial_number})
    for _ in range(200):
        done = clusters.login("plain", "pgbouncer", "verify-full")
        if done.code == 0:
            break
    assert done.stdout == b"plain\n", done.stderr.decode()


def test_tls_only_takes_effect_at_every_instance_without_a_restart(clusters: LiveClusters) -> None:
    before = clusters.lives("plain")
    assert clusters.login("plain", "primary", "disable").stdout == b"plain\n"
    clusters.change("plain", tlsOnly=True)
    for service, words in (
        ("primary", b"no encryption"),
        ("replicas", b"no encryption"),
        ("pgbouncer", b"SSL required"),
    ):
        for _ in range(200):
            done = clusters.login("plain", service, "disable")
            if done.code:
                break
        assert words in done.stderr
        assert clusters.login("plain", service, "verify-ca").stdout == b"plain\n"
    for role in ("primary", "replica"):
        query = "SELECT DISTINCT type FROM pg_hba_file_rules ORDER BY type"
        assert clusters.sql("plain", query, role) == ["hostssl", "local"]
    assert clusters.lives("plain") == before


def test_a_label_that_was_taken_off_comes_back(clusters: LiveClusters) -> None:
    label = "app.kubernetes.io/part-of"
    bare = {"metadata": {"labels": {label: None}}}
    clusters.run(clusters.client.patch(SECRETS, "plain-pgbackrest", clusters.namespace, bare))
    clusters.annotate("plain", "once")
    clusters.wait(
        SECRETS,
        "plain-pgbackrest",
        lambda obj: label in (obj or {})["metadata"]["labels"],
        "the label is back",
    )


def test_reconciles_change_no_secret(clusters: LiveClusters) -> None:
    def versions() -> dict[str, str]:
        listed = clusters.run(clusters.client.list(SECRETS, clusters.namespace))
        return {
            each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in listed.items
        }

    before = versions()
    for turn in ("1", "2"):
        clusters.annotate("plain", turn)
        settings = {"max_db_connections": turn}
        clusters.change("plain", proxy={"pgBouncer": {"config": {"global": settings}}})
        clusters.ready("plain")
    assert versions() == before


def test_a_role_that_is_added_gets_in(clusters: LiveClusters) -> None:
    users = [{"name": "plain", "databases": ["plain"]}, {"name": "late", "databases": ["plain"]}]
    clusters.change("plain", users=users)
    clusters.wait(
        SECRETS, "plain-pguser-late", lambda obj: obj is not None, "the user's Secret is there"
    )
    query = "SELECT rolname FROM pg_roles WHERE rolname = 'late'"
    for _ in range(200):
        found = clusters.sql("plain", query)
        if found:
            break
    assert found == ["late"]


def test_a_new_secret_name_restarts_and_keeps_the_data(clusters: LiveClusters) -> None:
    clusters.sql("given", "CREATE TABLE marker AS SELECT 42 AS answer")
    before = clusters.lives("given")
    renewed = external(clusters, "given")
    clusters.give(leaf_secret("tls-new", renewed, ROOT))
    clusters.change("given", secrets={"customTLSSecret": {"name": "tls-new"}})
    clusters.state("given", "ready")
    assert clusters.serials("given") == {serial(renewed)}
    poolers = {each["metadata"]["uid"] for each in clusters.pods("given", role="pgbouncer")}
    assert set(before) & set(clusters.lives("given")) <= poolers
    assert clusters.sql("given", "SELECT answer FROM marker", "replica") == ["42"]


def test_pause_stops_and_unpause_starts(clusters: LiveClusters) -> None:
    clusters.change("given", pause=True)
    clusters.state("given", "paused")
    assert not clusters.pods("given")
    clusters.change("given", pause=False)
    clusters.state("given", "ready")
    assert len(clusters.sql("given", STREAMING)) == 1


def test_the_schema_refuses_what_no_cluster_could_be(live: LiveClusters) -> None:
    def attempt(**spec: object) -> Json:
        obj: Json = {
            "apiVersion": "pgv2.percona.com/v2",
            "kind": "PerconaPGCluster",
            "metadata": {"name": "bad", "namespace": live.namespace},
            "spec": {"postgresVersion": 17, "instances": [], "backups": {}} | spec,
        }
        return live.run(live.client.create(PGCLUSTERS, obj))

    with pytest.raises(Exception, match="instances"):
        attempt()
    with pytest.raises(Exception, match="postgresVersion"):
        attempt(postgresVersion="seventeen")


def test_a_root_given_by_the_user_signs(live: LiveClusters) -> None:
    live.give(secret_of("root", {"ca.crt": ROOT.pem, "ca.key": ROOT.key_pem}))
    items = [{"key": "ca.crt", "path": "root.crt"}, {"key": "ca.key", "path": "root.key"}]
    live.cluster("rooted", secrets={"customRootCATLSSecret": {"name": "root", "items": items}})
    live.ready("rooted")
    for secret, key in (
        ("rooted-cluster-cert", "tls.crt"),
        ("rooted-pgbouncer", "pgbouncer-frontend.crt"),
    ):
        encoding.certificate(live.value(secret, key)).verify_directly_issued_by(ROOT.certificate)
    assert live.get(SECRETS, "rooted-cluster-ca-cert") is None
    assert live.login("rooted", "pgbouncer", "verify-full").stdout == b"rooted\n"
