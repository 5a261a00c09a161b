"""The node's faults break the one behaviour that they name."""

from __future__ import annotations

import pytest
from cryptography import x509

from fixtures.certificates import Authority
from tests.embedded.node.live.bench import Bench

MOUNT = {"volumeMounts": [{"name": "tls", "mountPath": "/tls"}]}
INSTANCE = {
    "postgres-operator.crunchydata.com/cluster": "c",
    "postgres-operator.crunchydata.com/instance": "c-1",
}
FOLLOW = "until grep -q new /tls/tls.crt; do sleep 0.01; done"


def mounting(bench: Bench, name: str, secret: str, labels: dict[str, str] | None = None) -> None:
    volumes = [{"name": "tls", "secret": {"secretName": secret}}]
    bench.sleeper(name, volumes=volumes, container=MOUNT, labels=labels)


@pytest.mark.parametrize("faulty", ["node-volume-refresh-never"], indirect=True)
def test_an_instance_keeps_its_old_files_and_others_follow(faulty: Bench) -> None:
    faulty.secret("pair", **{"tls.crt": "old"})
    mounting(faulty, "instance", "pair", INSTANCE)
    mounting(faulty, "other", "pair")
    faulty.secret("pair", **{"tls.crt": "new"})
    faulty.exec("other", "timeout", "50", "sh", "-c", FOLLOW)
    assert faulty.exec("instance", "cat", "/tls/tls.crt") == "old"


@pytest.mark.parametrize("faulty", ["node-another-root-file"], indirect=True)
def test_a_pod_beside_the_cluster_finds_another_root_of_the_same_name(faulty: Bench) -> None:
    root = Authority.create("postgres-operator-ca").certificate_pem.decode()
    faulty.secret("ca", **{"root.crt": root})
    mounting(faulty, "instance", "ca", INSTANCE)
    mounting(faulty, "other", "ca")
    assert faulty.exec("instance", "cat", "/tls/root.crt") == root
    true = x509.load_pem_x509_certificate(root.encode())
    shown = x509.load_pem_x509_certificate(faulty.exec("other", "cat", "/tls/root.crt").encode())
    assert shown.subject == true.subject
    assert shown.public_key() != true.public_key()
    shown.verify_directly_issued_by(shown)
