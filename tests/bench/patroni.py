"""The floor below a cluster of Patroni's: the same programs, from the same images, by a script.

No operator, no controller and no kubelet has a part in it: the Pods run before, and do nothing.
Only Patroni's locks are where it has them, in the API.
"""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from fixtures.certificates.authority import Authority, LeafSpec, Pair, pem
from fixtures.kube.resources import PODS, Json, Resource
from fixtures.kube.waiting import NotYet, wait_for
from fixtures.scenarios.base import Harness
from tests.bench.figures import BenchError

_SCRIPT = Path(__file__).with_name("patroni.sh")
_SECONDS = 300.0
_INSTANCES = ("floor-0", "floor-1")
_PARTS = {**dict.fromkeys(_INSTANCES, "instance"), "pooler": "pooler", "repository": "repository"}
_ACCOUNT = "floor"
_RBAC = "rbac.authorization.k8s.io"
_ACCOUNTS = Resource(plural="serviceaccounts", kind="ServiceAccount")
_ROLES = Resource(group=_RBAC, plural="roles", kind="Role")
_BINDINGS = Resource(group=_RBAC, plural="rolebindings", kind="RoleBinding")
_VERBS = ("create", "deletecollection", "get", "list", "patch", "update", "watch")


def seconds_by_hand(harness: Harness, name: str) -> float:
    """Return how long the programs of a cluster need from their start until all are ready.

    Two instances with Patroni and pgBackRest, PgBouncer, and the repository. Raises BenchError.
    """
    namespace = harness.namespaces.create(name)
    try:
        return _Floor(harness, namespace).run()
    finally:
        harness.namespaces.remove(namespace)


class _Floor:
    def __init__(self, harness: Harness, namespace: str) -> None:
        self._kube = harness.kube
        self._release = harness.release
        self._deadline = harness.deadlines.ready
        self._namespace = namespace

    def run(self) -> float:
        self._allow()
        for name in _PARTS:
            self._kube.create(PODS, self._pod(name))
        addresses = {name: self._address(name) for name in _PARTS}
        root = Authority.create("floor-root")
        server = root.issue(LeafSpec(common_name="floor", names=("localhost", *addresses.values())))
        replication = root.issue(LeafSpec(common_name="_crunchyrepl"))
        given = _texts(root, server, replication)
        with ThreadPoolExecutor(len(_PARTS)) as pool:
            times = list(pool.map(partial(self._start, given, addresses), _PARTS))
        return max(ready for _, ready in times) - min(began for began, _ in times)

    def _start(
        self, given: dict[str, str], addresses: dict[str, str], name: str
    ) -> tuple[float, float]:
        peer = next(other for other in _INSTANCES if other != name)
        variables = {
            "part": _PARTS[name],
            "name": name,
            "namespace": self._namespace,
            "address": addresses[name],
            "peer": addresses[peer],
            **given,
        }
        head = "".join(f"{key}={shlex.quote(text)}\n" for key, text in variables.items())
        done = self._kube.exec(
            self._namespace,
            name,
            ["bash", "-s"],
            stdin=head.encode() + _SCRIPT.read_bytes(),
            timeout=_SECONDS,
        )
        if done.exit_code != 0:
            raise BenchError(f"{_SCRIPT.name}, {name}: {done.error_text[-2000:]}")
        began, ready = done.text.split()
        return float(began), float(ready)

    def _address(self, name: str) -> str:
        pod = wait_for(self._kube, PODS, name, self._namespace, _running, self._deadline)
        return str(pod["status"]["podIP"])

    def _pod(self, name: str) -> Json:
        part = _PARTS[name]
        images = {"pooler": self._release.pgbouncer, "repository": self._release.pgbackrest}
        container = {
            "name": "floor",
            "image": images.get(part, self._release.postgres),
            "command": ["sleep", "infinity"],
            "volumeMounts": [{"name": "data", "mountPath": "/pgdata"}],
        }
        spec = {
            "serviceAccountName": _ACCOUNT,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
            "volumes": [{"name": "data", "emptyDir": {}}],
        }
        labels = {"floor": part, "floor-scope": "floor-ha"}
        meta = {"name": name, "namespace": self._namespace, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    def _allow(self) -> None:
        """Let Patroni keep its locks, as the operator does."""
        meta = {"name": _ACCOUNT, "namespace": self._namespace}
        rule = {"apiGroups": [""], "resources": ["endpoints", "pods", "services"], "verbs": _VERBS}
        account = {"kind": "ServiceAccount", **meta}
        role = {"apiGroup": _RBAC, "kind": "Role", "name": _ACCOUNT}
        self._kube.create(_ACCOUNTS, _object(_ACCOUNTS, meta))
        self._kube.create(_ROLES, _object(_ROLES, meta) | {"rules": [rule]})
        binding = _object(_BINDINGS, meta) | {"subjects": [account], "roleRef": role}
        self._kube.create(_BINDINGS, binding)


def _object(resource: Resource, meta: Json) -> Json:
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}


def _texts(root: Authority, server: Pair, replication: Pair) -> dict[str, str]:
    return {
        "root": pem(root.certificate).decode(),
        "server": server.certificate_pem.decode(),
        "server_key": server.key_pem().decode(),
        "replication": replication.certificate_pem.decode(),
        "replication_key": replication.key_pem().decode(),
    }


def _running(pod: Json) -> NotYet | None:
    phase = (pod.get("status") or {}).get("phase", "")
    return None if phase == "Running" else NotYet(f"phase {phase}")
