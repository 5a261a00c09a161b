"""Events about Pods, in a kubelet's words; the same thing record again raises a count."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from embedded.client import EVENTS, ApiError, Client, Json, NotFound, Unreachable
from embedded.node.waiting import wait_for_first
from embedded.timestamps import now

_log = logging.getLogger(__name__)
_REMEMBERED = 2048
_QUIET, _PATIENCE = 0.3, 3.0  # seconds


@dataclass(frozen=True, kw_only=True)
class EventContent:
    """The content of an Event. `field` is a path into the Pod, such as `spec.containers{app}`."""

    type: str
    reason: str
    message: str
    field: str = ""
    component: str = "kubelet"


def describe(error: Exception) -> str:
    """Return the text of an error; of an ExceptionGroup, that of each error in it."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(describe(one) for one in error.exceptions)
    return f"{type(error).__name__}: {error}"


@dataclass(kw_only=True)
class _Record:
    event: Json
    posted: bool = False
    since: float = 0.0


class EventRecorder:
    """Posts Events one after the other: warnings at once, ordinary news when it is quiet.

    A Pod's start makes more of them than all its other writes together, and nobody waits for them.
    """

    def __init__(self, client: Client, node_name: str) -> None:
        self._client = client
        self._node_name = node_name
        self._records: OrderedDict[tuple[str, EventContent], _Record] = OrderedDict()
        self._urgent: list[_Record] = []
        self._queue: list[_Record] = []
        self._work = asyncio.Event()
        self._warned = asyncio.Event()
        self._heard = 0.0

    def record(self, pod: Json, note: EventContent) -> None:
        """Say `note` about `pod`, soon."""
        key = (pod["metadata"]["uid"], note)
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = _Record(event=self._event(pod, note))
            while len(self._records) > _REMEMBERED:
                self._records.popitem(last=False)
        else:
            self._records.move_to_end(key)
            record.event["count"] += 1
            record.event["lastTimestamp"] = now()
        self._heard = asyncio.get_running_loop().time()
        queue = self._urgent if note.type == "Warning" else self._queue
        if not any(record is waiting for waiting in queue):
            record.since = self._heard
            queue.append(record)
        if note.type == "Warning":
            self._warned.set()
        self._work.set()

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._urgent or self._queue:
                if self._urgent:
                    await self._post(self._urgent.pop(0))
                elif (pause := self._pause()) > 0:
                    await wait_for_first(self._warned, timeout=pause)
                    self._warned.clear()
                else:
                    await self._post(self._queue.pop(0))

    def _pause(self) -> float:
        """Return how long ordinary news still wait: until nothing new was heard for a moment."""
        now = asyncio.get_running_loop().time()
        return min(self._heard + _QUIET - now, self._queue[0].since + _PATIENCE - now)

    async def _post(self, record: _Record) -> None:
        metadata = record.event["metadata"]
        try:
            if record.posted:
                change = {k: record.event[k] for k in ("count", "lastTimestamp")}
                await self._client.patch(EVENTS, metadata["name"], metadata["namespace"], change)
                return
        except NotFound:
            record.posted = False
        except (ApiError, Unreachable) as error:
            _log.info("event %s: %s", record.event["reason"], error)
            return
        await self._create(record)

    async def _create(self, record: _Record) -> None:
        try:
            await self._client.create(EVENTS, record.event)
            record.posted = True
        except (ApiError, Unreachable) as error:
            # A namespace that is being deleted takes no Events.
            _log.info("event %s: %s", record.event["reason"], error)

    def _event(self, pod: Json, note: EventContent) -> Json:
        metadata = pod["metadata"]
        moment = now()
        about = {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": about | ({"fieldPath": note.field} if note.field else {}),
            "type": note.type,
            "reason": note.reason,
            "message": note.message,
            "source": {"component": note.component, "host": self._node_name},
            "reportingComponent": note.component,
            "reportingInstance": self._node_name,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
