"""When what Endpoints show began to change: the moment that their annotation names."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.client import Json
from embedded.controllers import pods
from embedded.controllers.ownership import Key


class Triggers:
    """The moments of each Service and its Pods that were seen before."""

    def __init__(self) -> None:
        self._seen: dict[Key, dict[str, str]] = {}

    def look(self, key: Key, service: Json, serving: Iterable[Json]) -> str | None:
        """Return the earliest of the moments that are new since the last look; None without one."""
        now = {service["metadata"]["uid"]: str(service["metadata"]["creationTimestamp"])}
        now |= {pod["metadata"]["uid"]: pods.ready_since(pod) for pod in serving}
        before = self._seen.get(key, {})
        self._seen[key] = now
        return min((at for uid, at in now.items() if at and before.get(uid) != at), default=None)

    def forget(self, key: Key) -> None:
        """Drop the moments of a Service that is gone."""
        self._seen.pop(key, None)
