"""Events are stored in their core/v1 form; events.k8s.io/v1 is another view of the same."""

from __future__ import annotations

from embedded.api.jsons import Json

_CORE_TO_NEW = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_NEW_TO_CORE = {new: core for core, new in _CORE_TO_NEW.items()}


def to_core(event: Json) -> Json:
    """An events.k8s.io/v1 Event in the core/v1 form."""
    renamed = {_NEW_TO_CORE.get(name, name): value for name, value in event.items()}
    return {**renamed, "apiVersion": "v1"}


def from_core(event: Json) -> Json:
    """A core/v1 Event in the events.k8s.io/v1 form."""
    renamed = {_CORE_TO_NEW.get(name, name): value for name, value in event.items()}
    return {**renamed, "apiVersion": "events.k8s.io/v1"}
