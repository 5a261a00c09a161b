"""Pods whose containers share their processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.image_table import FIRST, SECOND
from tests.embedded.node.live.bench import (
    Bench,
    Json,
    container_of,
    in_phase,
    is_ready,
    state_of,
)

WAITS = "trap 'exit 0' TERM; sleep infinity & wait"
# It lets its parent go, as a database does, and says what it hears.
DAEMON = """
cat >/tmp/postgres <<'END'
#!/bin/sh
trap 'echo reloaded' HUP
echo up
while :; do sleep 0.05; done
END
chmod +x /tmp/postgres
(/tmp/postgres &)
"""
# As the sidecars of operators do when a certificate is another.
RELOADS = """
until pgrep --exact --parent=1 postgres; do sleep 0.1; done
until test -e /tmp/go; do sleep 0.1; done
pkill --signal HUP --exact --parent=1 postgres
"""


def container(name: str, script: str, **more: Any) -> Json:
    return {"name": name, "image": FIRST, "command": ["bash", "-c", script]} | more


def shared(bench: Bench, name: str, *containers: Json, **spec: Any) -> None:
    bench.pod(name, shareProcessNamespace=True, containers=list(containers), **spec)


def test_a_sidecar_reloads_what_has_become_a_daemon(bench: Bench) -> None:
    """A container's first process has the parent 0, an orphan the parent 1, the Pod's pause."""
    first = container("first", "cat /proc/1/comm")
    database = container("database", f"{DAEMON} exec sleep infinity")
    reloader = container("reloader", f"{RELOADS} {WAITS}")
    shared(bench, "pair", database, reloader, initContainers=[first])
    bench.wait("pair", is_ready)
    assert bench.logs("pair", container="first") == "pause\n"

    def found(*arguments: str) -> list[str]:
        code, out, _ = bench.run("pair", "pgrep", *arguments, container="reloader")
        return out.split() if code == 0 else []

    bench.exec("pair", "sh", "-c", "until pgrep postgres; do :; done", container="database")
    assert len(found("--exact", "--parent=1", "postgres")) == 1
    assert found("--exact", "--parent=0", "postgres") == []
    assert found("--exact", "--parent=0", "pause") == ["1"]
    assert len(found("--exact", "--parent=0", "sleep")) == 1
    assert bench.exec("pair", "cat", "/proc/1/comm", container="database") == "pause\n"
    bench.exec("pair", "touch", "/tmp/go", container="reloader")
    follow = bench.kubectl("logs", "pair", "--container=database", "--follow", "--limit-bytes=12")
    assert follow.stdout.decode() == "up\nreloaded\n"


def test_a_container_ends_with_all_its_own_and_nothing_of_its_siblings(bench: Bench) -> None:
    main = container("main", f"{DAEMON} until test -e /tmp/end; do sleep 0.05; done; exit 3")
    shared(bench, "pair", main, container("sibling", f"{DAEMON} {WAITS}"))
    bench.wait("pair", is_ready)
    both = 'until test "$(pgrep --exact --parent=1 --count postgres)" = 2; do sleep 0.1; done'
    bench.exec("pair", "sh", "-c", both, container="sibling")
    before = bench.exec("pair", "pgrep", "--exact", "postgres", container="sibling").split()
    bench.exec("pair", "touch", "/tmp/end", container="main")
    pod = bench.wait("pair", lambda pod: container_of(pod, "main").get("restartCount") == 1)
    assert container_of(pod, "main")["lastState"]["terminated"]["exitCode"] == 3
    assert container_of(pod, "sibling")["restartCount"] == 0
    assert "running" in state_of(pod, "sibling")
    bench.exec("pair", "sh", "-c", both, container="sibling")
    after = bench.exec("pair", "pgrep", "--exact", "postgres", container="sibling").split()
    # The sibling's own is still there, the other one is new.
    assert len(set(before) & set(after)) == 1


def test_a_pod_that_does_not_share_shows_no_container_the_others(bench: Bench) -> None:
    containers = [container(name, f"{DAEMON} {WAITS}") for name in ("one", "two")]
    bench.pod("apart", containers=containers)
    bench.wait("apart", is_ready)
    one = "until pgrep postgres; do sleep 0.1; done >/dev/null; pgrep --count postgres"
    for name in ("one", "two"):
        assert bench.exec("apart", "sh", "-c", one, container=name) == "1\n"
        assert bench.exec("apart", "cat", "/proc/1/comm", container=name) == "bash\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root's platform has several users")
def test_containers_of_different_users_cannot_share(bench: Bench) -> None:
    """The embedded platform has one user for them, and says so rather than run one as another."""
    shared(bench, "pair", container("one", WAITS), container("two", WAITS, image=SECOND))
    pod = bench.wait("pair", lambda pod: "waiting" in state_of(pod, "two"))
    said = "(one: 26:26, two: 1001:1001)"
    pod = bench.wait("pair", lambda pod: said in str(state_of(pod, "two")))
    for name in ("one", "two"):
        assert state_of(pod, name)["waiting"]["reason"] == "CreateContainerError", name
    assert said in bench.event("pair", "Failed")["message"]
    bench.delete("pair")
    context = {"runAsUser": 70, "runAsGroup": 70}
    shared(
        bench,
        "agreed",
        container("one", WAITS),
        container("two", WAITS, image=SECOND),
        securityContext=context,
    )
    bench.wait("agreed", is_ready)
    assert bench.exec("agreed", "stat", "-c", "%u:%g", "/proc/1", container="two") == "70:70\n"


def test_an_init_container_of_another_user_runs_before_those_that_share(bench: Bench) -> None:
    says = "id -u; cat /proc/1/comm; :"
    install = container("install", says, image=SECOND)
    prepare = container("prepare", says)
    shared(bench, "pair", container("one", WAITS), initContainers=[install, prepare])
    bench.wait("pair", is_ready)
    # Of several users it shares them, too.
    alone = "pause" if os.geteuid() == 0 else "bash"
    assert bench.logs("pair", container="install") == f"1001\n{alone}\n"
    assert bench.logs("pair", container="prepare") == "26\npause\n"
    assert bench.exec("pair", "cat", "/proc/1/comm", container="one") == "pause\n"


def namespace_of(bench: Bench, pod: str, name: str) -> str:
    return bench.exec(pod, "readlink", "/proc/self/ns/pid", container=name).strip()


def processes_in(namespace: str) -> Iterator[tuple[int, str]]:
    """Give number and name of the processes in a pid namespace, as its link shows it."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "ns/pid").readlink()) == namespace:
                yield int(process.name), (process / "comm").read_text().strip()
        except OSError:
            continue


def test_a_pod_whose_pause_ends_starts_anew_and_ends_whole(bench: Bench) -> None:
    shared(bench, "pair", container("one", WAITS), container("two", f"{DAEMON} {WAITS}"))
    bench.wait("pair", is_ready)
    namespace = namespace_of(bench, "pair", "one")
    before = set(processes_in(namespace))
    (pause,) = (pid for pid, name in before if name == "pause")
    # No container can end it.
    bench.run("pair", "sh", "-c", "kill -9 1; pkill -9 pause", container="one")
    assert (pause, "pause") in processes_in(namespace)
    os.kill(pause, signal.SIGKILL)
    pod = bench.wait(
        "pair",
        lambda pod: all(
            container_of(pod, name).get("restartCount") == 1 and "running" in state_of(pod, name)
            for name in ("one", "two")
        ),
    )
    for name in ("one", "two"):
        assert container_of(pod, name)["lastState"]["terminated"]["exitCode"] == 137, name
    assert "re-created" in bench.event("pair", "SandboxChanged")["message"]
    # The kernel may give the number of the old namespace to the new one.
    assert not before & set(processes_in(namespace))
    second = namespace_of(bench, "pair", "one")
    assert second == namespace_of(bench, "pair", "two")
    bench.delete("pair")
    bench.wait_gone("pair")
    assert not list(processes_in(second))


def test_a_pod_that_never_restarts_fails_with_its_pause(bench: Bench) -> None:
    shared(bench, "once", container("app", WAITS), restartPolicy="Never")
    bench.wait("once", is_ready)
    namespace = namespace_of(bench, "once", "app")
    (pause,) = (pid for pid, name in processes_in(namespace) if name == "pause")
    os.kill(pause, signal.SIGKILL)
    assert state_of(bench.wait("once", in_phase("Failed")))["terminated"]["exitCode"] == 137
