"""Pods with Patroni from an image that stands in, with a sidecar that reloads, as operators do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from embedded.images import store
from embedded.pki import Authority
from reference.images.postgresql import MAJOR
from tests.embedded.announced import running
from tests.embedded.node.live.bench import Bench, Json, is_ready
from tests.embedded.node.live.conftest import connected, namespace

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

CLUSTER = "db"
PODS = (f"{CLUSTER}-0", f"{CLUSTER}-1")
ADDRESS = {"fieldRef": {"fieldPath": "status.podIP"}}
ACCESS = (
    {"apiGroups": [""], "resources": ["endpoints", "pods"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["services"], "verbs": ["create"]},
)
# Patroni's own least times, for the loops of a test.
LOOPS = {"loop_wait": 1, "retry_timeout": 3, "ttl": 20}
PARAMETERS = {
    "fsync": "off",
    "ssl": "on",
    "ssl_cert_file": "/tls/tls.crt",
    "ssl_key_file": "/tls/tls.key",
    "unix_socket_directories": "/tmp",
}
PATRONI = {
    "scope": CLUSTER,
    "kubernetes": {
        "labels": {"app": CLUSTER},
        "scope_label": "cluster",
        "role_label": "role",
        "use_endpoints": True,
    },
    "bootstrap": {
        "dcs": LOOPS | {"postgresql": {"parameters": PARAMETERS}},
        "initdb": ["data-checksums", {"encoding": "UTF8"}, {"locale": "en_US.UTF-8"}],
    },
    "postgresql": {
        "authentication": {
            "replication": {"username": "copier"},
            "superuser": {"username": "postgres"},
        },
        "data_dir": "/pgdata/data",
        "pg_hba": [
            "local all all trust",
            "hostssl all all all trust",
            "hostssl replication all all trust",
        ],
    },
    "restapi": {"listen": "0.0.0.0:8008"},
}
RELOADS = """
trap 'exit 0' TERM
before=$(cksum </tls/tls.crt)
while sleep 0.2; do
    now=$(cksum </tls/tls.crt)
    test "$now" = "$before" || pkill -HUP --exact --parent=1 postgres && before=$now
done
"""
NAMESPACE = (
    "export PATRONI_KUBERNETES_NAMESPACE"
    "=$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace)"
)
START = f"""
{NAMESPACE}
export PATRONI_NAME=$HOSTNAME PATRONI_KUBERNETES_POD_IP=$ADDRESS
export PATRONI_RESTAPI_CONNECT_ADDRESS=$ADDRESS:8008
export PATRONI_POSTGRESQL_LISTEN=0.0.0.0:5432 PATRONI_POSTGRESQL_CONNECT_ADDRESS=$ADDRESS:5432
exec patroni /etc/patroni/patroni.json
"""
TRUSTS = "host=localhost user=postgres dbname=postgres sslmode=verify-full sslrootcert=/tls/ca.crt"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A namespace in which two Pods are members of one cluster, ready both."""
    image = f"percona/percona-distribution-postgresql:{MAJOR[store.host_release().name]}"
    with (
        running("reference", "up", "--json", f"--subject-image={image}") as platform,
        connected(platform) as api,
        namespace(platform, api, image) as found,
    ):
        (row,) = platform["images"]
        assert (row["reference"], row["recipe"].split("-")[0]) == (image, "patroni")
        _allow(api, found)
        certify(found)
        configuration = {"patroni.json": json.dumps(PATRONI)}
        body = {"metadata": {"name": "patroni"}, "data": configuration}
        found.core.create_namespaced_config_map(found.namespace, body)
        for name in PODS:
            _member(found, name)
        for name in PODS:
            found.wait(name, is_ready, seconds=120)
        yield found


def _allow(api: Any, bench: Bench) -> None:
    rbac: Any = client.RbacAuthorizationV1Api(api)
    meta = {"name": "patroni"}
    bench.core.create_namespaced_service_account(bench.namespace, {"metadata": meta})
    rbac.create_namespaced_role(bench.namespace, {"metadata": meta, "rules": list(ACCESS)})
    subject = {"kind": "ServiceAccount", "name": "patroni", "namespace": bench.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "patroni"}
    binding = {"metadata": meta, "roleRef": role, "subjects": [subject]}
    rbac.create_namespaced_role_binding(bench.namespace, binding)


def certify(bench: Bench) -> None:
    """Put a new root and a certificate of it into the Secret that the Pods have."""
    authority = Authority(CLUSTER)
    pair = authority.issue(["localhost"])
    data = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority.certificate}
    bench.secret("tls", **data)


def _member(bench: Bench, name: str) -> None:
    mounts = [
        {"name": "data", "mountPath": "/pgdata"},
        {"name": "patroni", "mountPath": "/etc/patroni"},
        {"name": "tls", "mountPath": "/tls"},
    ]
    common: Json = {"image": bench.image, "volumeMounts": mounts}
    probe = {"httpGet": {"path": "/readiness", "port": 8008}, "periodSeconds": 1}
    database = {
        "name": "app",
        "command": ["bash", "-c", START],
        "env": [{"name": "ADDRESS", "valueFrom": ADDRESS}],
        "readinessProbe": probe,
    }
    reloader = {"name": "reloader", "command": ["bash", "-c", RELOADS]}
    bench.pod(
        name,
        labels={"app": CLUSTER, "cluster": CLUSTER},
        containers=[database | common, reloader | common],
        securityContext={"fsGroup": 26},
        serviceAccountName="patroni",
        shareProcessNamespace=True,
        volumes=[
            {"name": "data", "emptyDir": {}},
            {"name": "patroni", "configMap": {"name": "patroni"}},
            {"name": "tls", "secret": {"secretName": "tls", "defaultMode": 0o640}},
        ],
    )


def sql(bench: Bench, pod: str, query: str) -> str:
    return bench.exec(pod, "psql", "host=/tmp user=postgres", "-Atqc", query).strip()


def roles(bench: Bench) -> tuple[str, str]:
    """Return the names of the Pods that lead and follow, by PostgreSQL and by their labels."""
    first, second = sorted(PODS, key=lambda pod: sql(bench, pod, "SELECT pg_is_in_recovery()"))
    bench.wait(first, lambda pod: _role(pod) == "primary")
    bench.wait(second, lambda pod: _role(pod) == "replica")
    return first, second


def _role(pod: Json) -> object:
    return pod["metadata"]["labels"].get("role")


def settles(bench: Bench, pod: str, query: str, answer: str) -> None:
    """Wait until PostgreSQL answers so."""
    ask = f'psql --host=/tmp --username=postgres -Atqc "{query}"'
    bench.exec(pod, "bash", "-c", f"until test \"$({ask})\" = '{answer}'; do sleep 0.2; done")


def test_one_leads_and_the_other_follows(bench: Bench) -> None:
    """By what Patroni writes to the API, and by what PostgreSQL says."""
    first, second = roles(bench)
    streams = "SELECT application_name, state FROM pg_stat_replication"
    settles(bench, first, streams, f"{second}|streaming")
    said = json.loads(_patronictl(bench, first, "list --format json"))
    found = {member["Member"]: member["Role"] for member in said}
    assert found == {first: "Leader", second: "Replica"}


def _patronictl(bench: Bench, pod: str, words: str) -> str:
    command = f"patronictl --config-file=/etc/patroni/patroni.json {words}"
    return bench.exec(pod, "bash", "-c", f"{NAMESPACE}; {command}")


def test_an_edited_configuration_reaches_both(bench: Bench) -> None:
    edited = json.dumps({"postgresql": {"parameters": {"work_mem": "9MB"}}})
    words = f"edit-config --apply=- --force <<<'{edited}'"
    assert "Configuration changed" in _patronictl(bench, PODS[1], words)
    for name in PODS:
        settles(bench, name, "SHOW work_mem", "9MB")


def test_a_sidecar_reloads_the_server_when_the_certificate_is_another(bench: Bench) -> None:
    """It signals PostgreSQL, which is an orphan of Patroni's, in the processes of the Pod."""
    serves = f"until psql '{TRUSTS}' -c 'SELECT 1'; do sleep 0.2; done"
    for name in PODS:
        bench.exec(name, "bash", "-c", serves)
    before = bench.exec(PODS[0], "cat", "/tls/ca.crt").strip()
    certify(bench)
    changes = f"while test \"$(cat /tls/ca.crt)\" = '{before}'; do sleep 0.1; done"
    for name in PODS:
        bench.exec(name, "bash", "-c", f"{changes}; {serves}")
