"""The work queue: one run at a time for each key, none lost, failures repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from embedded.client import Backoff, Reconciler, Unreachable

DEADLINE = 60.0


def run(
    reconcile: Callable[[str], Awaitable[float | None]],
    script: Callable[[Reconciler[str]], Awaitable[None]],
) -> None:
    async def main() -> None:
        queue: Reconciler[str] = Reconciler("test", reconcile)
        task = asyncio.create_task(queue.run())
        async with asyncio.timeout(DEADLINE):
            await script(queue)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_key_enqueued_often_before_its_turn_runs_once() -> None:
    runs: list[str] = []
    idle = asyncio.Event()

    async def reconcile(key: str) -> None:
        runs.append(key)
        if key == "last":
            idle.set()

    async def script(queue: Reconciler[str]) -> None:
        for key in ("a", "a", "b", "a", "last"):
            queue.enqueue(key)
        await idle.wait()

    run(reconcile, script)
    assert sorted(runs) == ["a", "b", "last"]


def test_a_key_enqueued_while_it_runs_runs_once_more_and_never_twice_at_a_time() -> None:
    started, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    running: list[int] = [0]
    runs: list[int] = []

    async def reconcile(key: str) -> None:
        running[0] += 1
        runs.append(running[0])
        started.set()
        await go_on.wait()
        running[0] -= 1
        if len(runs) == 2:
            done.set()

    async def script(queue: Reconciler[str]) -> None:
        queue.enqueue("a")
        await started.wait()
        queue.enqueue("a")
        queue.enqueue("a")
        go_on.set()
        await done.wait()

    run(reconcile, script)
    assert runs == [1, 1]


@pytest.mark.parametrize("failure", [Unreachable("no answer"), ValueError("a bug")])
def test_a_failed_run_is_repeated(failure: Exception) -> None:
    attempts: list[str] = []
    done = asyncio.Event()

    async def reconcile(key: str) -> None:
        attempts.append(key)
        if len(attempts) < 3:
            raise failure
        done.set()

    async def script(queue: Reconciler[str]) -> None:
        queue.enqueue("a")
        await done.wait()

    run(reconcile, script)
    assert attempts == ["a"] * 3


def test_a_run_may_ask_to_look_again() -> None:
    looks: list[str] = []
    done = asyncio.Event()

    async def reconcile(key: str) -> float | None:
        looks.append(key)
        if len(looks) == 2:
            done.set()
            return None
        return 0.001

    async def script(queue: Reconciler[str]) -> None:
        queue.enqueue("a")
        await done.wait()

    run(reconcile, script)
    assert looks == ["a", "a"]


def test_delays_double_up_to_their_limit_and_begin_anew() -> None:
    delays = Backoff(first=1, most=5)
    assert [delays.next() for _ in range(4)] == [1, 2, 4, 5]
    delays.reset()
    assert delays.next() == 1
