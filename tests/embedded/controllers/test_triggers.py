"""What triggered a change of Endpoints, however often they are written until they are seen."""

from embedded.client import Json
from embedded.controllers.triggers import Triggers

KEY = ("space", "web")
SERVICE: Json = {"metadata": {"uid": "s", "creationTimestamp": "2026-01-01T00:00:00Z"}}


def ready(uid: str, at: str) -> Json:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": at}
    return {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}


def test_a_moment_stays_until_endpoints_are_seen_as_written() -> None:
    """The second write may be made by a copy in which the first is not yet."""
    triggers = Triggers()
    triggers.look(KEY, SERVICE, [])
    triggers.settle(KEY)
    pods = [ready("p", "2026-01-02T00:00:00Z")]
    assert triggers.look(KEY, SERVICE, pods) == "2026-01-02T00:00:00Z"
    assert triggers.look(KEY, SERVICE, pods) == "2026-01-02T00:00:00Z"
    triggers.settle(KEY)
    assert triggers.look(KEY, SERVICE, pods) is None


def test_the_earliest_that_is_not_yet_seen_counts() -> None:
    triggers = Triggers()
    assert triggers.look(KEY, SERVICE, []) == "2026-01-01T00:00:00Z"
    pods = [ready("p", "2026-01-02T00:00:00Z")]
    assert triggers.look(KEY, SERVICE, pods) == "2026-01-01T00:00:00Z"


def test_a_service_that_is_gone_leaves_nothing() -> None:
    triggers = Triggers()
    pods = [ready("p", "2026-01-02T00:00:00Z")]
    triggers.look(KEY, SERVICE, pods)
    triggers.forget(KEY)
    assert triggers.look(KEY, SERVICE, []) == "2026-01-01T00:00:00Z"
