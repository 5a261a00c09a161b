"""The time from a change of an object to its notice by a waiting program."""

from __future__ import annotations

import threading
import time
from functools import partial

from fixtures.kube.client import Kube
from fixtures.kube.resources import CONFIGMAPS, PODS, Json
from fixtures.kube.views import View
from fixtures.kube.waiting import NotYet, wait, wait_for
from fixtures.scenarios.base import Harness
from tests.bench.figures import Figure

_LIMIT = 0.020
_CHANGES = 100
_ENDINGS = 4
_EXECS = 20
_LAST_WORDS = "exec 3<>/dev/udp/127.0.0.1/9; read -rt 0.2 -u 3; echo $EPOCHREALTIME"


def figures(harness: Harness, runs: int) -> list[Figure]:
    """A change of an object, the end of a container, and what an exec costs."""
    namespace = harness.namespaces.create("noticing")
    changes = Changes(harness, namespace).latencies(_CHANGES * runs)
    endings = [_ending(harness, namespace, f"ending-{n}") for n in range(_ENDINGS * runs)]
    return [
        Figure(
            name="a condition noticed after it became true",
            samples=tuple(changes),
            statistic="p99",
            unit="ms",
            bound=_LIMIT,
            note="from the answer to the write until the wait returns",
        ),
        Figure(
            name="  the end of a container noticed",
            samples=tuple(endings),
            unit="ms",
            note="from the program's last word until the wait for its Pod returns",
        ),
        Figure(
            name="exec of true in a Pod",
            samples=tuple(_execs(harness, namespace, _EXECS * runs)),
            unit="ms",
        ),
    ]


class Changes:
    """One thread changes an object, another waits for just that change."""

    def __init__(self, harness: Harness, namespace: str) -> None:
        self._harness = harness
        self._namespace = namespace
        self._seen_at = 0.0
        self._seen = threading.Semaphore(0)
        metadata = {"name": "flag", "namespace": namespace}
        flag = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        harness.kube.create(CONFIGMAPS, flag)

    def latencies(self, count: int) -> list[float]:
        """Seconds for each of the changes; 0 where the waiter was first."""
        with View(self._harness.kube, CONFIGMAPS, self._namespace) as view:
            waiter = threading.Thread(target=self._wait, args=(view, count), daemon=True)
            waiter.start()
            found = [self._change(str(n)) for n in range(count)]
            waiter.join()
        return found

    def _change(self, value: str) -> float:
        self._harness.kube.patch_merge(
            CONFIGMAPS, "flag", {"data": {"value": value}}, self._namespace
        )
        written_at = time.monotonic()
        self._seen.acquire(timeout=self._harness.deadlines.reconciled.seconds)
        return max(0.0, self._seen_at - written_at)

    def _wait(self, view: View, count: int) -> None:
        for n in range(count):
            look = partial(_look, view, str(n))
            wait(view, f"value {n}", look, self._harness.deadlines.reconciled)
            self._seen_at = time.monotonic()
            self._seen.release()


def _look(view: View, wanted: str) -> Json | NotYet:
    flag = view.items["flag"]
    found = (flag.get("data") or {}).get("value")
    return flag if found == wanted else NotYet(f"value {found}")


def _ending(harness: Harness, namespace: str, name: str) -> float:
    _create(harness.kube, namespace, name, harness.release.client, ["bash", "-c", _LAST_WORDS])
    wait_for(
        harness.kube,
        PODS,
        name,
        namespace,
        lambda pod: _in(pod, "Succeeded"),
        harness.deadlines.ready,
    )
    noticed = time.time()
    return max(0.0, noticed - float(harness.kube.logs(namespace, name)))


def _execs(harness: Harness, namespace: str, count: int) -> list[float]:
    _create(harness.kube, namespace, "sleeper", harness.release.client, ["sleep", "infinity"])
    wait_for(
        harness.kube,
        PODS,
        "sleeper",
        namespace,
        lambda pod: _in(pod, "Running"),
        harness.deadlines.ready,
    )
    return [_exec(harness.kube, namespace) for _ in range(count)]


def _exec(kube: Kube, namespace: str) -> float:
    began = time.monotonic()
    kube.exec(namespace, "sleeper", ["true"])
    return time.monotonic() - began


def _create(kube: Kube, namespace: str, name: str, image: str, command: list[str]) -> None:
    container = {"name": "app", "image": image, "command": command}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    kube.create(PODS, pod)


def _in(pod: Json, phase: str) -> NotYet | None:
    found = (pod.get("status") or {}).get("phase", "")
    return None if found == phase else NotYet(f"phase {found}")
