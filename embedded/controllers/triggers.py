"""When what Endpoints show began to change: the moment that their annotation names."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.client import Json
from embedded.controllers import pods
from embedded.controllers.ownership import Key


class Triggers:
    """The moments of each Service and its Pods that were seen before.

    Endpoints may be written more than once before they are seen as written, and a write may come
    to nothing; so a moment stays until they are settled.
    """

    def __init__(self) -> None:
        self._seen: dict[Key, dict[str, str]] = {}
        self._unsettled: dict[Key, str] = {}

    def look(self, key: Key, service: Json, serving: Iterable[Json]) -> str | None:
        """Return the earliest of the moments that are new since Endpoints were settled, if any."""
        now = {service["metadata"]["uid"]: str(service["metadata"]["creationTimestamp"])}
        now |= {pod["metadata"]["uid"]: pods.ready_since(pod) for pod in serving}
        before = self._seen.get(key, {})
        self._seen[key] = now
        new = {at for uid, at in now.items() if at and before.get(uid) != at}
        if key in self._unsettled:
            new.add(self._unsettled[key])
        if new:
            self._unsettled[key] = min(new)
        return self._unsettled.get(key)

    def settle(self, key: Key) -> None:
        """Take what was looked at for done: Endpoints were seen that differ in nothing from it."""
        self._unsettled.pop(key, None)

    def forget(self, key: Key) -> None:
        """Drop the moments of a Service that is gone."""
        self._seen.pop(key, None)
        self._unsettled.pop(key, None)
