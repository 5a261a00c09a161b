"""The embedded API beside a real one: what a request costs, in processor time of the server.

Of the server alone, so that neither the client nor whoever else is busy counts. A real one is
kube-apiserver with its etcd, on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from fixtures.kube.client import Kube
from fixtures.kube.following import WatchStream
from fixtures.kube.resources import CONFIGMAPS, NAMESPACES, Json
from fixtures.kubeconfig.access import access_by
from tests.bench import processes
from tests.bench.figures import BenchError, Figure
from tests.embedded import announced

_OBJECTS = 1000
_HEARD = 200
_WATCHES = 20
_LISTS = 100
_WATCH_SECONDS = 300.0
_REAL = "kube-apiserver"
_ETCD = "--etcd-servers"
_ETCD_PORT = 2379


def figures(runs: int, against: Path | None) -> list[Figure]:
    """Each request on ours, and on the one of a kubeconfig where one is given."""
    with ExitStack() as stack:
        ours = stack.enter_context(_embedded())
        real = None
        if against:
            real = stack.enter_context(_connected(against, real_processes(against)))
        rounds, beside = [], []
        # One of each goes first: what a server learns once is not counted.
        for n in range(runs + 1):
            rounds.append(_round(ours, n))
            if real is not None:
                beside.append(_round(real, n))
    return list(_rows(rounds[1:], beside[1:]))


@dataclass(frozen=True)
class _Server:
    kube: Kube
    pids: frozenset[int]

    def cost(self, times: int, work: Callable[[], object]) -> float:
        """Return the processor time in seconds that a part of some work took, of `times` parts."""
        before = processes.processor_time(self.pids)
        work()
        return (processes.processor_time(self.pids) - before) / times


def _rows(ours: list[Mapping[str, float]], real: list[Mapping[str, float]]) -> Iterator[Figure]:
    for name in ours[0]:
        beside = Figure(
            name="  of a real one",
            samples=tuple(costs[name] for costs in real),
            unit="µs",
            note="kube-apiserver and etcd",
        )
        yield Figure(
            name=f"embedded API, {name}",
            samples=tuple(costs[name] for costs in ours),
            unit="µs",
            bound=beside.value if real else None,
            note="processor time of the server, for one",
        )
        if real:
            yield beside


def _round(server: _Server, number: int) -> Mapping[str, float]:
    """Return the cost of each kind of request."""
    kube, namespace = server.kube, f"bench-{os.getpid()}-{number}"
    meta = {"name": namespace}
    kube.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    names = [f"flag-{n}" for n in range(_OBJECTS)]
    each = partial(_each, names)
    costs = {
        "create": server.cost(
            _OBJECTS, each(lambda name: kube.create(CONFIGMAPS, _flag(namespace, name, "new")))
        ),
        "get": server.cost(_OBJECTS, each(lambda name: kube.get(CONFIGMAPS, name, namespace))),
        "patch": server.cost(_OBJECTS, each(lambda name: _patch(kube, namespace, name, "patched"))),
        "apply": server.cost(
            _OBJECTS,
            each(
                lambda name: kube.apply(CONFIGMAPS, _flag(namespace, name, "applied"), force=True)
            ),
        ),
        f"patch that {_WATCHES} watches hear of": _heard(server, namespace, names[:_HEARD]),
        f"list of {_OBJECTS}": server.cost(
            _LISTS, lambda: [kube.list(CONFIGMAPS, namespace) for _ in range(_LISTS)]
        ),
        "delete": server.cost(
            _OBJECTS, each(lambda name: kube.delete(CONFIGMAPS, name, namespace))
        ),
    }
    kube.delete(NAMESPACES, namespace)
    return costs


def _each(names: list[str], work: Callable[[str], object]) -> Callable[[], None]:
    def everything() -> None:
        for name in names:
            work(name)

    return everything


def _patch(kube: Kube, namespace: str, name: str, value: str) -> None:
    kube.patch_merge(CONFIGMAPS, name, {"data": {"value": value}}, namespace)


def _heard(server: _Server, namespace: str, names: list[str]) -> float:
    kube = server.kube
    start = kube.list(CONFIGMAPS, namespace).resource_version
    watches = [
        kube.watch(CONFIGMAPS, namespace, resource_version=start, timeout=_WATCH_SECONDS)
        for _ in range(_WATCHES)
    ]
    heard = [0] * _WATCHES
    listeners = [
        Thread(target=_listen, args=(watch, heard, n), daemon=True)
        for n, watch in enumerate(watches)
    ]
    for listener in listeners:
        listener.start()

    def work() -> None:
        for name in names:
            _patch(kube, namespace, name, "heard of")
        for listener in listeners:
            listener.join()

    cost = server.cost(len(names), work)
    if heard != [len(names)] * _WATCHES:
        raise BenchError(f"watches heard of {heard} of {len(names)} patches")
    return cost


def _listen(watch: WatchStream, heard: list[int], number: int) -> None:
    """Count events until there was one for each patch; a watch ends by itself in time."""
    for event in watch:
        heard[number] += event.type == "MODIFIED"
        if heard[number] == _HEARD:
            break
    watch.close()


def _flag(namespace: str, name: str, value: str) -> Json:
    meta = {"name": name, "namespace": namespace, "labels": {"app": "bench"}}
    data = {"value": value, "text": "x" * 200}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


@contextmanager
def _embedded() -> Iterator[_Server]:
    with announced.running("embedded", "up", "--json") as up:
        kubeconfig = Path(up["kubeconfig"])
        with _connected(kubeconfig, _listeners(kubeconfig)) as server:
            yield server


@contextmanager
def _connected(kubeconfig: Path, pids: frozenset[int]) -> Iterator[_Server]:
    kube = Kube.connect(kubeconfig)
    try:
        yield _Server(kube, pids)
    finally:
        kube.close()


def real_processes(kubeconfig: Path) -> frozenset[int]:
    """Return the kube-apiserver that a kubeconfig leads to, and the etcd that it was told to use.

    Raises BenchError where they are not seen on this machine, as behind a container's proxy.
    """
    found: frozenset[int] = frozenset()
    for pid in _listeners(kubeconfig):
        program, *arguments = processes.arguments(pid) or [""]
        if Path(program).name == _REAL:
            found |= {pid, *_etcd(arguments)}
    if not found:
        raise BenchError(f"{kubeconfig}: who listens there on this machine is no {_REAL}")
    return found


def _listeners(kubeconfig: Path) -> frozenset[int]:
    address = urlsplit(access_by(kubeconfig, None).server)
    host, port = address.hostname or "", address.port or 443
    if not processes.is_local(host):
        raise BenchError(f"{kubeconfig}: {host} is not this machine, whose processes are measured")
    return processes.listeners(port)


def _etcd(arguments: list[str]) -> frozenset[int]:
    """Return the processes of the etcd that a kube-apiserver is told to use."""
    found: frozenset[int] = frozenset()
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, value = argument.partition("=")
        if name == _ETCD:
            for url in (value or following).split(","):
                found |= processes.listeners(urlsplit(url).port or _ETCD_PORT)
    return found
