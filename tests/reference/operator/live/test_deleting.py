"""The end of clusters: what is left, what is not, and that nothing comes back."""

from __future__ import annotations

import pytest

from embedded.client import PODS, PVCS, SECRETS
from reference.operator.pki import Authority
from tests.reference.operator.builders import NOW, manifest, secret
from tests.reference.operator.live.clusters import LiveClusters

SSL, DATA = "percona.com/delete-ssl", "percona.com/delete-pvc"
LEGACY = "pgo-root-cacert"
ROOT = Authority.generate(NOW)


def of(name: str, names: set[str]) -> set[str]:
    return {each for each in names if each.startswith(f"{name}-")}


def kinds(name: str, names: set[str]) -> set[str]:
    """The rest of a cluster, the names of its instances left out."""
    parts = {each.removeprefix(f"{name}-") for each in of(name, names)}
    return {"certs" if part.endswith("-certs") else part for part in parts}


TLS = {"cluster-ca-cert", "cluster-cert", "replication-cert", "pgbackrest", "pgbouncer", "certs"}


@pytest.fixture(scope="module")
def clusters(live: LiveClusters) -> LiveClusters:
    live.give(secret("root", {"root.crt": ROOT.pem, "root.key": ROOT.key_pem}))
    custom = {"customRootCATLSSecret": {"name": "root"}}
    live.give(secret(LEGACY, {"root.crt": ROOT.pem, "root.key": ROOT.key_pem}))
    live.cluster("kept")
    live.cluster("ssl", finalizers=(SSL,))
    live.cluster("data", finalizers=(DATA,))
    live.cluster("both", finalizers=(SSL, DATA), secrets=custom)
    live.cluster("neighbour")
    live.ready("kept", "ssl", "data", "both", "neighbour")
    return live


@pytest.mark.parametrize(
    ("name", "secrets", "claims"),
    [
        ("kept", TLS | {"pguser-kept"}, 2),
        ("ssl", {"pguser-ssl"}, 2),
        ("data", TLS, 0),
        ("both", set(), 0),
    ],
)
def test_each_finalizer_takes_its_own(
    clusters: LiveClusters, name: str, secrets: set[str], claims: int
) -> None:
    neighbour = of("neighbour", clusters.names(SECRETS))
    given, legacy = clusters.get(SECRETS, "root"), clusters.get(SECRETS, LEGACY)
    clusters.gone(name)
    # What has an owner goes in its own time; the roles are the last of the Secrets to do so.
    clusters.wait(SECRETS, f"{name}-roles", lambda obj: obj is None, "the roles are gone")
    assert kinds(name, clusters.names(SECRETS)) == secrets
    assert len(of(name, clusters.names(PVCS))) == claims
    assert of("neighbour", clusters.names(SECRETS)) == neighbour
    assert clusters.get(SECRETS, "root") == given
    assert clusters.get(SECRETS, LEGACY) == legacy


def test_what_was_deleted_does_not_come_back(clusters: LiveClusters) -> None:
    before = clusters.names(SECRETS)
    clusters.change("neighbour", tlsOnly=True)
    clusters.ready("neighbour")
    assert clusters.names(SECRETS) == before


def test_a_cluster_made_again_has_its_root_its_data_and_its_password(
    clusters: LiveClusters,
) -> None:
    root = clusters.value("neighbour-cluster-ca-cert", "root.crt")
    password = clusters.value("neighbour-pguser-neighbour", "password")
    clusters.sql("neighbour", "CREATE TABLE marker AS SELECT 42 AS answer")
    clusters.gone("neighbour")
    clusters.cluster("neighbour")
    clusters.ready("neighbour")
    assert clusters.value("neighbour-cluster-ca-cert", "root.crt") == root
    assert clusters.value("neighbour-pguser-neighbour", "password") == password
    assert clusters.sql("neighbour", "SELECT answer FROM marker", "replica") == ["42"]
    assert clusters.login("neighbour", "pgbouncer", "verify-full").stdout == b"neighbour\n"


def test_the_secrets_of_a_former_instance_set_go_too(clusters: LiveClusters) -> None:
    sets = manifest()["spec"]["instances"]
    second = sets[0] | {"name": "second", "replicas": 1}
    clusters.cluster("former", finalizers=(SSL,), instances=[*sets, second])
    clusters.ready("former")
    (instance,) = [each for each in clusters.names(SECRETS) if each.startswith("former-second-")]
    clusters.change("former", instances=sets)
    clusters.ready("former")
    assert instance in clusters.names(SECRETS)
    clusters.gone("former")
    clusters.wait(SECRETS, "former-roles", lambda obj: obj is None, "the roles are gone")
    assert kinds("former", clusters.names(SECRETS)) == {"pguser-former"}


def test_a_foreign_finalizer_takes_nothing(clusters: LiveClusters) -> None:
    foreign = "finalizers.percona.com/delete-ssl"
    clusters.cluster("stuck", finalizers=(foreign,))
    clusters.ready("stuck")
    before = of("stuck", clusters.names(SECRETS)), of("stuck", clusters.names(PODS))
    clusters.start_deletion("stuck")
    clusters.annotate("neighbour", "proof")
    clusters.change("neighbour", tlsOnly=True)
    clusters.ready("neighbour")
    assert (of("stuck", clusters.names(SECRETS)), of("stuck", clusters.names(PODS))) == before
