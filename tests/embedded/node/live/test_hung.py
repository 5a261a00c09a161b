"""A node whose agent hangs, and one that starts processes slowly."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, watch

from tests.embedded.announced import running
from tests.embedded.image_table import OPTIONS
from tests.embedded.node.live.bench import Bench, is_ready
from tests.embedded.node.live.conftest import connected, namespace

_SECONDS = 60
_watch: Any = watch.Watch


@pytest.fixture
def brief() -> Iterator[Bench]:
    """A platform whose node may be silent for four seconds."""
    command = ("embedded", "up", "--json", "--node-lease-seconds", "4", *OPTIONS)
    with running(*command) as found, connected(found) as api, namespace(found, api) as bench:
        yield bench


def agent(log_dir: Path) -> int:
    """The pid of the node's agent: the one that writes to the log of this platform."""
    log = (log_dir / "node.log").stat()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                command = (process / "cmdline").read_bytes()
                written = (process / "fd/2").stat()
            except OSError:
                continue
            if b"embedded.node" in command and os.path.samestat(written, log):
                return int(process.name)
    raise AssertionError("no agent of a node is found")


def condition(core: Any, wanted: str) -> None:
    """Wait until the node's condition Ready has a value."""
    for event in _watch().stream(core.list_node, timeout_seconds=_SECONDS):
        for item in event["object"].status.conditions or []:
            if (item.type, item.status) == ("Ready", wanted):
                return
    raise AssertionError(f"the node's condition Ready does not become {wanted}")


def test_a_hung_node_is_not_ready_until_it_goes_on(brief: Bench) -> None:
    core: Any = client.CoreV1Api(brief.api)
    brief.sleeper()
    pid = agent(brief.log_dir)
    os.kill(pid, signal.SIGSTOP)
    try:
        condition(core, "Unknown")
        brief.wait("sleeper", lambda pod: not is_ready(pod))
    finally:
        os.kill(pid, signal.SIGCONT)
    condition(core, "True")
    found = brief.wait("sleeper", is_ready)
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0
    keys = {item["key"] for item in found["spec"]["tolerations"]}
    assert keys == {f"node.kubernetes.io/{name}" for name in ("not-ready", "unreachable")}


def signs_of_life(api: Any, seconds: float) -> None:
    """Wait until the node, by its own clock, has renewed its Lease for so long."""
    first = None
    coordination: Any = client.CoordinationV1Api(api)
    lister = coordination.list_namespaced_lease
    for event in _watch().stream(lister, "kube-node-lease", timeout_seconds=_SECONDS):
        renewed = event["object"].spec.renew_time
        first = first or renewed
        if (renewed - first).total_seconds() >= seconds:
            return
    raise AssertionError(f"the node does not renew its Lease for {seconds} s")


def test_a_command_that_starts_late_has_its_whole_time(brief: Bench) -> None:
    probe = {
        "exec": {"command": ["true"]},
        "periodSeconds": 1,
        "timeoutSeconds": 1,
        "failureThreshold": 1,
    }
    brief.sleeper(container={"livenessProbe": probe})
    # What starts processes is the parent of the agent; commands wait for it.
    status = Path(f"/proc/{agent(brief.log_dir)}/stat").read_text()
    spawner = int(status.rpartition(")")[2].split()[1])
    os.kill(spawner, signal.SIGSTOP)
    try:
        # No event tells of a probe that is under way: several fall due in this time.
        signs_of_life(brief.api, 4)
    finally:
        os.kill(spawner, signal.SIGCONT)
    brief.sleeper("later")
    found = brief.get("sleeper")
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0
    events = brief.core.list_namespaced_event(brief.namespace).items
    assert "Unhealthy" not in {event.reason for event in events}
