"""Writing a Pod's status with few calls: what changes while a write is under way goes together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from embedded.client import (
    PODS,
    ApiError,
    Backoff,
    Conflict,
    Informer,
    Json,
    NotFound,
    Unreachable,
)

_log = logging.getLogger(__name__)


class StatusPublisher:
    """Keeps the status of one Pod in the API equal to what `compute` returns."""

    def __init__(
        self, pods: Informer, pod: Json, compute: Callable[[], Json], group: asyncio.TaskGroup
    ) -> None:
        self._pods = pods
        self._namespace = pod["metadata"]["namespace"]
        self._name = pod["metadata"]["name"]
        self._uid = pod["metadata"]["uid"]
        self._compute = compute
        self._group = group
        self._written: Json = {}
        self._wanted = False
        self._writing: asyncio.Task[None] | None = None

    def publish(self) -> None:
        """Write the status as soon as the write before is through."""
        self._wanted = True
        if self._writing is None or self._writing.done():
            self._writing = self._group.create_task(self._write_all())

    def forget(self) -> None:
        """Take nothing for written: the next `publish` writes."""
        self._written = {}

    async def flush(self) -> None:
        """Wait until what was published is written, or the Pod is gone."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        # One turn of the loop: what changes in the same moment goes into the same write.
        await asyncio.sleep(0)
        delays = Backoff(first=0.02, most=2.0)
        while self._wanted:
            self._wanted = False
            status = self._compute()
            if status == self._written:
                continue
            try:
                await self._write(status)
            except (NotFound, Conflict):
                return  # the Pod is gone, or another one has its name
            except (ApiError, Unreachable) as error:
                _log.warning("status of %s/%s: %s", self._namespace, self._name, error)
                self._wanted = True
                await asyncio.sleep(delays.next())

    async def _write(self, status: Json) -> None:
        body = {"metadata": {"uid": self._uid}, "status": status}
        answer = await self._pods.client.patch(
            PODS, self._name, self._namespace, body, subresource="status"
        )
        self._written = status
        self._pods.learn(answer)
