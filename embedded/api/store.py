"""All objects, with their versions, a bounded history, and those who wait for changes.

One counter numbers all writes, as etcd's revision does. Objects that were stored are never changed
in place: a write puts a new one, so that readers and watchers can share them, and their encoding,
without copies.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal

from embedded.api import errors
from embedded.api.jsons import Json, encode

HISTORY = 5_000
"""Changes kept for each collection; a watch that lags further behind is told 410."""

_HEARD_OF = 1_000
"""Changes of a collection after which all who wait hear of one, whatever matters to them."""

Key = tuple[str, str]
"""Namespace (empty where there is none) and name."""
Change = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, eq=False)
class Stored:
    """One version of an object."""

    obj: Json
    version: int

    @cached_property
    def encoded(self) -> bytes:
        """The JSON, made once for all readers."""
        return encode(self.obj)

    @property
    def key(self) -> Key:
        """The key under which the object is stored."""
        meta = self.obj["metadata"]
        return meta.get("namespace", ""), meta["name"]


@dataclass(frozen=True, eq=False)
class Event:
    """One write: what is stored now (of a deletion: the last state), and what was before."""

    change: Change
    now: Stored
    before: Stored | None

    @property
    def version(self) -> int:
        """The number of the write."""
        return self.now.version


class Collection:
    """The objects of one resource."""

    def __init__(self) -> None:
        self.objects: dict[Key, Stored] = {}
        self.closed = False
        self._by_namespace: dict[str, dict[Key, Stored]] = {}
        self._history: list[Event] = []
        self._versions: list[int] = []
        self._forgotten = 0
        self._waiting: dict[asyncio.Future[bool], Callable[[Event], bool]] = {}

    def within(self, namespace: str) -> Mapping[Key, Stored]:
        """The objects of a namespace; of all for the empty name."""
        return self._by_namespace.get(namespace, {}) if namespace else self.objects

    def record(self, event: Event) -> None:
        """Take in a write and wake who waits."""
        key = event.now.key
        shelf = self._by_namespace.setdefault(key[0], {})
        if event.change == "DELETED":
            del self.objects[key], shelf[key]
        else:
            self.objects[key] = shelf[key] = event.now
        self._history.append(event)
        self._versions.append(event.version)
        if len(self._history) > HISTORY + HISTORY // 4:
            self._forget()
        # Now and then all: whoever heard of nothing would fall behind the history.
        self._wake(event if len(self._history) % _HEARD_OF else None)

    def _forget(self) -> None:
        excess = len(self._history) - HISTORY
        self._forgotten = self._versions[excess - 1]
        del self._history[:excess], self._versions[:excess]

    def since(self, version: int) -> Iterator[Event]:
        """The writes after a version; raises ApiError 410 where they are no longer known."""
        if version < self._forgotten:
            why = f"too old resource version: {version} ({self._forgotten})"
            raise errors.expired(why)
        return islice(self._history, bisect_right(self._versions, version), None)

    def at(self, version: int, namespace: str) -> Mapping[Key, Stored]:
        """The objects as they were at a version; raises ApiError 410."""
        found = dict(self.within(namespace))
        for event in reversed(list(self.since(version))):
            key = event.now.key
            if namespace and key[0] != namespace:
                continue
            if event.before is None:
                found.pop(key, None)
            else:
                found[key] = event.before
        return found

    async def changed(self, matters: Callable[[Event], bool], seconds: float) -> bool:
        """Wait for a write that matters, or for `close`; False where neither came in time.

        It may be true for another write, too.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._waiting[future] = matters
        timer = loop.call_later(seconds, _resolve, future, False)
        try:
            return await future
        finally:
            timer.cancel()
            del self._waiting[future]

    def close(self) -> None:
        """End all watches: the resource is no more."""
        self.closed = True
        self._wake(None)

    def _wake(self, event: Event | None) -> None:
        """Wake all to whom a write matters; everybody for None."""
        for future, matters in self._waiting.items():
            if event is None or matters(event):
                _resolve(future, True)


def _resolve(future: asyncio.Future[bool], result: bool) -> None:
    if not future.done():
        future.set_result(result)


class Store:
    """The collections by group and plural."""

    def __init__(self) -> None:
        self.version = 1
        self._collections: dict[tuple[str, str], Collection] = {}

    def collection(self, group: str, plural: str) -> Collection:
        """The collection, made when first asked for."""
        found = self._collections.get((group, plural))
        if found is None:
            found = self._collections[group, plural] = Collection()
        return found

    def drop(self, group: str, plural: str) -> None:
        """Forget a collection and end its watches."""
        found = self._collections.pop((group, plural), None)
        if found is not None:
            found.close()

    def put(self, collection: Collection, obj: Json) -> Stored:
        """Store a new object or a new version of one; the object is the store's from now on.

        Raises ValueError, and stores nothing, for what cannot be written out.
        """
        stored = self._numbered(obj)
        before = collection.objects.get(stored.key)
        collection.record(Event("MODIFIED" if before else "ADDED", stored, before))
        return stored

    def remove(self, collection: Collection, obj: Json) -> Stored:
        """Remove an object; its last state gets the number of the deletion."""
        stored = self._numbered(obj)
        collection.record(Event("DELETED", stored, collection.objects[stored.key]))
        return stored

    def _numbered(self, obj: Json) -> Stored:
        version = self.version + 1
        meta = {**obj["metadata"], "resourceVersion": str(version)}
        stored = Stored({**obj, "metadata": meta}, version)
        # Now rather than for the first reader: what is stored can be written out.
        _ = stored.encoded
        self.version = version
        return stored
