"""One cluster of an operator that starts Patroni: how soon it is ready, and what it then uses."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fixtures.kube.resources import JOBS, PGCLUSTERS, Json
from fixtures.kube.views import Views
from fixtures.kube.waiting import NotYet, stays, wait
from fixtures.pgcluster.cluster import PgCluster
from fixtures.pgcluster.readiness import look_ready
from fixtures.pgcluster.spec import ClusterSpec
from fixtures.platforms.embedded import EmbeddedPlatform
from fixtures.scenarios.base import Harness
from tests.bench import processes
from tests.bench.figures import BenchError, Figure
from tests.bench.patroni import seconds_by_hand
from tests.bench.writes import writes_during

_TIMES_THE_FLOOR = 1.3
_WRITES_A_MINUTE = 45.0
_WINDOW_SECONDS = 60.0
_SETTLE_SECONDS = 30.0
_NAME = "bench"


def figures(harness: Harness, runs: int) -> Iterator[list[Figure]]:
    """A cluster beside its programs from a script, and one at rest."""
    # One of each goes first: files are then in memory for all that count.
    seconds_by_hand(harness, "floor0")
    _seconds_to_ready(harness, "bench0")
    pairs = [
        (_seconds_to_ready(harness, f"bench{n}"), seconds_by_hand(harness, f"floor{n}"))
        for n in range(1, runs + 1)
    ]
    yield _ready_figures(harness, pairs)
    yield _rest_figures(harness, runs)


def _ready_figures(harness: Harness, pairs: list[tuple[float, float]]) -> list[Figure]:
    return [
        Figure(
            name=f"CR applied to ready, operator {harness.subject.version}",
            samples=tuple(ready for ready, _ in pairs),
            note="one cluster: two instances, pooler, repository",
        ),
        Figure(
            name="  the same programs from a bare script",
            samples=tuple(floor for _, floor in pairs),
            note="Patroni's bootstrap and base backup, PgBouncer, pgBackRest's servers: the floor",
        ),
        Figure(
            name="  how many times the floor",
            samples=tuple(ready / floor for ready, floor in pairs),
            unit="×",
            bound=_TIMES_THE_FLOOR,
            note="of each pair, one after the other",
        ),
    ]


def _seconds_to_ready(harness: Harness, name: str) -> float:
    with _cluster(harness, name) as cluster:
        began = time.monotonic()
        cluster.apply()
        _wait_ready(cluster)
        return time.monotonic() - began


def _wait_ready(cluster: PgCluster) -> None:
    """Return at its first moment of ready: three readings that agree are the suite's affair."""
    views = cluster.views
    look = partial(look_ready, views, cluster.name)
    wait(views, f"cluster {cluster.name} ready", look, cluster.deadlines.ready)


def _rest_figures(harness: Harness, runs: int) -> list[Figure]:
    before = _memory_of(harness)
    with _cluster(harness, "rest") as cluster:
        cluster.apply()
        _wait_ready(cluster)
        wait(
            cluster.views,
            "the first backup is done",
            lambda: _backed_up(cluster.views),
            cluster.deadlines.ready,
        )
        # What is left to do of the backup is not counted.
        stays(cluster.views, lambda: None, _SETTLE_SECONDS)
        counted, used = [], []
        for _ in range(runs):
            counted.append(writes_during(harness.kube, partial(_stay_ready, cluster.views)))
            used.append(_memory_of(harness) if before else None)
    writes = Figure(
        name="writes at rest, one cluster",
        samples=tuple(window.a_minute for window in counted),
        unit="/min",
        bound=_WRITES_A_MINUTE,
        note=f"by the API's resourceVersions; the last window: {counted[-1]}",
    )
    return [writes, *_memory_figures(before, used)]


def _stay_ready(views: Views) -> None:
    """Let a minute pass. Raises BenchError where a cluster does not stay ready."""
    if unready := stays(views, partial(_unready, views), _WINDOW_SECONDS):
        raise BenchError(f"not at rest: {unready}")


def _unready(views: Views) -> str | None:
    for name, cluster in views.items(PGCLUSTERS).items():
        state = (cluster.get("status") or {}).get("state")
        if state != "ready":
            return f"cluster {name} went to state {state!r}"
    return None


def _backed_up(views: Views) -> Json | NotYet:
    jobs = views.items(JOBS)
    lacking = [name for name, job in jobs.items() if not (job.get("status") or {}).get("succeeded")]
    if jobs and not lacking:
        return {}
    return NotYet(f"Jobs not done: {', '.join(lacking)}" if jobs else "no Job")


_Memory = tuple[float, float]
"""MiB of the platform's own processes, and of those in containers."""


def _memory_of(harness: Harness) -> _Memory | None:
    """Return the memory in use; None, and say why, where the kernel does not let us look."""
    platform = harness.platform
    assert isinstance(platform, EmbeddedPlatform)
    everything = processes.descendants(platform.pid)
    own = _own_namespaces(everything)
    ours = [one for one in everything if one.namespace in own]
    theirs = [one for one in everything if one.namespace not in own]
    try:
        return processes.memory(ours), processes.memory(theirs)
    except BenchError as error:
        print(f"memory is not measured: {error}", file=sys.stderr)
        return None


def _own_namespaces(everything: list[processes.Process]) -> frozenset[str]:
    """The launcher's, and that of the box: its first process is a child of the launcher's."""
    outer = everything[0].namespace
    outside = {one.pid for one in everything if one.namespace == outer}
    return frozenset({outer, *(one.namespace for one in everything if one.parent in outside)})


def _memory_figures(before: _Memory | None, used: list[_Memory | None]) -> list[Figure]:
    seen = [memory for memory in used if memory is not None]
    if before is None or not seen:
        return []
    _, operator = before
    shared = "proportional set size"
    return [
        Figure(
            name="memory of a cluster",
            samples=tuple(containers - operator for _, containers in seen),
            unit="MiB",
            note=f"{shared} of its containers' processes at rest, and what the operator grew by",
        ),
        Figure(
            name="  of the operator before it",
            samples=(operator,),
            unit="MiB",
            note=shared,
        ),
        Figure(
            name="  of the platform beside it",
            samples=tuple(platform for platform, _ in seen),
            unit="MiB",
            note=f"{shared} of API, controllers, node and box",
        ),
    ]


@contextmanager
def _cluster(harness: Harness, name: str) -> Iterator[PgCluster]:
    namespace = harness.namespaces.create(name)
    views = Views(harness.kube, namespace)
    try:
        yield PgCluster(
            kube=harness.kube,
            views=views,
            namespace=namespace,
            spec=ClusterSpec(name=_NAME),
            deadlines=harness.deadlines,
            release=harness.release,
            version=harness.subject.version,
            progress=lambda _: None,
        )
    finally:
        views.close()
        harness.namespaces.remove(namespace)
