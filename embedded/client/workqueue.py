"""A level-triggered work queue: keys in, one run at a time for each, again until it succeeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from embedded.client.errors import ApiError, Conflict, NotFound, Terminating, Unreachable

K = TypeVar("K", bound=Hashable)

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Backoff:
    """Delays in seconds that double from `first` up to `most`."""

    first: float = 0.01
    most: float = 5.0
    _next: float = 0.0

    def next(self) -> float:
        """The delay to keep now."""
        delay = self._next or self.first
        self._next = min(delay * 2, self.most)
        return delay

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._next = 0.0


class Reconciler(Generic[K]):
    """Calls `reconcile(key)` for each key that was enqueued.

    A key enqueued several times before it is its turn runs once; enqueued while it runs, once
    more afterwards. A failed run is repeated with growing delays. `reconcile` may return the
    seconds after which it wants to look again without any event.
    """

    def __init__(
        self,
        name: str,
        reconcile: Callable[[K], Awaitable[float | None]],
        *,
        workers: int = 4,
        most_delay: float = 5.0,
    ) -> None:
        self.name = name
        self._reconcile = reconcile
        self._workers = workers
        self._most_delay = most_delay
        self._ready: asyncio.Queue[K] = asyncio.Queue()
        self._queued: set[K] = set()
        self._active: set[K] = set()
        self._failing: dict[K, Backoff] = {}
        self._said: dict[K, str] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}

    def enqueue(self, key: K) -> None:
        """Run `key` as soon as a worker is free."""
        self._stop_timer(key)
        if key in self._queued:
            return
        self._queued.add(key)
        if key not in self._active:
            self._ready.put_nowait(key)

    def enqueue_after(self, key: K, seconds: float) -> None:
        """Run `key` after a delay, unless something enqueues it before."""
        self._stop_timer(key)
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(seconds, self.enqueue, key)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._work(), name=f"{self.name} {number}")
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            self._queued.discard(key)
            self._active.add(key)
            try:
                delay = await self._attempt(key)
            finally:
                self._active.discard(key)
            if key in self._queued:
                self._ready.put_nowait(key)
            elif delay is not None:
                self.enqueue_after(key, delay)

    async def _attempt(self, key: K) -> float | None:
        try:
            delay = await self._reconcile(key)
        except (ApiError, Unreachable) as error:
            self._log_failure(key, error)
        except Exception:  # a bug of ours: it must not end the work on all other keys
            _log.exception("%s %s", self.name, key)
        else:
            self._failing.pop(key, None)
            self._said.pop(key, None)
            return delay
        return self._failing.setdefault(key, Backoff(most=self._most_delay)).next()

    def _log_failure(self, key: K, error: Exception) -> None:
        # The first are the ordinary signs of a copy that lags behind; and once is enough.
        lags = isinstance(error, Conflict | NotFound | Terminating)
        quiet = lags or self._said.get(key) == str(error)
        self._said[key] = str(error)
        _log.log(logging.DEBUG if quiet else logging.WARNING, "%s %s: %s", self.name, key, error)

    def _stop_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer:
            timer.cancel()
