"""Watches: a stream of changes from a version on, with bookmarks, to the end of its time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from aiohttp import web

from embedded.api import answers, errors, options
from embedded.api.calls import Call
from embedded.api.errors import ApiError
from embedded.api.jsons import Json, encode
from embedded.api.store import Change, Event, Store, Stored

BOOKMARK_EVERY = 60.0
"""Seconds of silence after which a watcher is told how far it is."""
_INITIAL_END = {"k8s.io/initial-events-end": "true"}
_LONGEST = 1800, 3600


class Watch:
    """One watch of one client."""

    def __init__(self, call: Call, store: Store) -> None:
        self._call = call
        self._store = store
        self._collection = call.resource.collection(store)
        self._selector = call.selector()
        self._namespace = call.path.namespace
        self._view = answers.view(call.request)
        self._bookmarks = call.flag("allowWatchBookmarks")
        self._initial = call.flag("sendInitialEvents")
        self._at = self._start()

    def _start(self) -> int:
        """The version after which changes are sent; raises ApiError 410, 422, 504."""
        match = self._call.text("resourceVersionMatch")
        options.check_watch(match, initial=self._initial)
        asked = self._call.number("resourceVersion") or 0
        if asked > self._store.version:
            raise errors.gone_too_far(asked, self._store.version)
        if asked and not self._initial:
            self._collection.since(asked)
            return asked
        return 0

    async def answer(self) -> web.StreamResponse:
        """Stream until the time is over, the client goes, or the resource is no more."""
        response = web.StreamResponse()
        response.content_type = "application/json"
        answers.warn(response, self._call.warnings)
        loop = asyncio.get_running_loop()
        seconds = self._call.number("timeoutSeconds") or random.randint(*_LONGEST)  # noqa: S311
        await response.prepare(self._call.request)
        if not self._at:
            await response.write(self._everything())
        await self._stream(response, loop.time() + seconds)
        await response.write_eof()
        return response

    def _everything(self) -> bytes:
        self._at = self._store.version
        objects = self._collection.within(self._namespace)
        lines = [
            self._line("ADDED", objects[key])
            for key in sorted(objects)
            if self._selector.matches(objects[key].obj)
        ]
        if self._initial and self._bookmarks:
            lines.append(self._bookmark(_INITIAL_END))
        return b"".join(lines)

    async def _stream(self, response: web.StreamResponse, ends: float) -> None:
        loop = asyncio.get_running_loop()
        silent = False
        while True:
            try:
                lines = b"".join(self._news())
            except ApiError as error:
                await response.write(_framed(b"ERROR", encode(error.status())))
                return
            if lines:
                await response.write(lines)
            elif silent and self._bookmarks:
                # Only after a look at the news: a write may have come in the turn of the time-out.
                self._at = self._store.version
                await response.write(self._bookmark({}))
            elif self._collection.closed or loop.time() >= ends:
                return
            else:
                patience = min(BOOKMARK_EVERY, ends - loop.time())
                silent = not await self._collection.changed(self._matters, patience)
                continue
            silent = False

    def _matters(self, event: Event) -> bool:
        """Return whether a write is one of those that may have to be told."""
        if self._namespace and event.now.key[0] != self._namespace:
            return False
        if self._selector.everything or self._selector.matches(event.now.obj):
            return True
        return event.before is not None and self._selector.matches(event.before.obj)

    def _news(self) -> Iterator[bytes]:
        for event in self._collection.since(self._at):
            self._at = event.version
            if self._matters(event):
                seen = self._seen(event)
                if seen is not None:
                    yield self._line(*seen)

    def _seen(self, event: Event) -> tuple[Change, Stored] | None:
        """Return a change as a watcher sees it that gets only what the selector lets through."""
        if self._selector.everything:
            return event.change, event.now
        matches = self._selector.matches
        was = event.before is not None and matches(event.before.obj)
        now = event.change != "DELETED" and matches(event.now.obj)
        if now:
            return ("MODIFIED" if was else "ADDED"), event.now
        if not was or event.before is None:
            return None
        last = event.before.obj
        meta = {**last["metadata"], "resourceVersion": str(event.version)}
        return "DELETED", Stored({**last, "metadata": meta}, event.version)

    def _line(self, change: Change, stored: Stored) -> bytes:
        return _framed(change.encode(), self._view.of(self._call.resource, stored))

    def _bookmark(self, annotations: Json) -> bytes:
        resource = self._call.resource
        meta: Json = {"resourceVersion": str(self._at), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        mark: Json = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if self._view.form == "Table":
            mark = self._view.table(resource, [], meta)
        return _framed(b"BOOKMARK", encode(mark))


def _framed(change: bytes, body: bytes) -> bytes:
    return b'{"type":"' + change + b'","object":' + body + b"}\n"
