"""From the CR to a verified login through PgBouncer, and the floor below it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from fixtures.kube.resources import DEPLOYMENTS, PODS
from fixtures.kube.views import Views
from fixtures.kube.waiting import NotYet, wait_for
from fixtures.pgclient import ROOT_FILE, Libpq, SslMode, deploy, page_manifest
from fixtures.pgcluster.cluster import PgCluster
from fixtures.pgcluster.spec import ClusterSpec
from fixtures.scenarios.base import Harness
from tests.bench.figures import BenchError, Figure

_LIMIT = 1.5
_FLOOR = Path(__file__).with_name("floor.sh")
_FLOOR_SECONDS = 60.0


def figures(harness: Harness, runs: int) -> list[Figure]:
    """A cluster with a replica on the platform, and the same programs in a bare script."""
    # One of each goes first: files are then in memory for all that count.
    floor = _Floor(harness)
    floor.run()
    _login(harness, 0)
    pairs = [(_login(harness, n), floor.run()) for n in range(1, runs + 1)]
    return [
        Figure(
            name="CR applied to verify-ca through PgBouncer",
            samples=tuple(seconds for seconds, _ in pairs),
            bound=_LIMIT,
            note="one cluster with a replica, pg-client applied beside it",
        ),
        Figure(
            name="  the same programs from a bare script",
            samples=tuple(seconds for _, seconds in pairs),
            note="template copy, start, base backup over TLS, PgBouncer, psql: the floor",
        ),
    ]


def _login(harness: Harness, number: int) -> float:
    namespace = harness.namespaces.create(f"bench{number}")
    views = Views(harness.kube, namespace)
    cluster = PgCluster(
        kube=harness.kube,
        views=views,
        namespace=namespace,
        spec=ClusterSpec(name="bench"),
        deadlines=harness.deadlines,
        release=harness.release,
        version=harness.subject.version,
        progress=lambda _: None,
    )
    try:
        return _timed(lambda: _walk(harness, cluster))
    finally:
        views.close()
        harness.namespaces.remove(namespace)


def _walk(harness: Harness, cluster: PgCluster) -> None:
    manifest = page_manifest(cluster.name, cluster.namespace, harness.release.client)
    cluster.apply()
    harness.kube.apply(DEPLOYMENTS, manifest)
    cluster.wait_ready()
    client = deploy(harness.kube, manifest, harness.deadlines.ready)
    settings = Libpq(sslmode=SslMode.VERIFY_CA, root_certificate=ROOT_FILE)
    done = client.psql(cluster.credentials().pgbouncer_uri, "select 1", settings=settings)
    if not done.ok:
        raise BenchError(f"psql through PgBouncer: {done.stderr}")


class _Floor:
    """A Pod of the same image, in which the script does everything itself."""

    def __init__(self, harness: Harness) -> None:
        self._kube = harness.kube
        self._namespace = harness.namespaces.create("floor")
        container = {"name": "floor", "image": harness.release.postgres, "command": ["sleep"]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "floor", "namespace": self._namespace},
            "spec": {"containers": [{**container, "args": ["infinity"]}]},
        }
        self._kube.create(PODS, pod)
        wait_for(self._kube, PODS, "floor", self._namespace, _runs, harness.deadlines.ready)

    def run(self) -> float:
        """The seconds that the script needed for all but the making of certificates."""
        done = self._kube.exec(
            self._namespace,
            "floor",
            ["bash", "-s"],
            stdin=_FLOOR.read_bytes(),
            timeout=_FLOOR_SECONDS,
        )
        if done.exit_code != 0:
            raise BenchError(f"{_FLOOR.name}: {done.error_text[-2000:]}")
        return float(done.text)


def _runs(pod: dict[str, dict[str, str]]) -> NotYet | None:
    phase = pod.get("status", {}).get("phase", "")
    return None if phase == "Running" else NotYet(f"phase {phase}")


def _timed(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began
