"""A fault: new content of a custom Secret restarts instances, once the CR itself is touched."""

from __future__ import annotations

from embedded.client import Json

_ASKED = "pgv2.percona.com/asked"
_CONTENT = "pgv2.percona.com/content"


def restarted_with_the_cr(wanted: Json, existing: Json | None, cluster: Json, secret: Json) -> Json:
    """Mark the template of the StatefulSet `wanted` with the content that is to be run with.

    That is the content of `secret`; while the annotations of `cluster` stay, it is what `existing`
    was marked with.
    """
    asked = str(sorted((cluster["metadata"].get("annotations") or {}).items()))
    content = str(secret["metadata"]["resourceVersion"])
    if existing is not None and _annotations(existing).get(_ASKED) == asked:
        content = _annotations(existing["spec"]["template"]).get(_CONTENT, content)
    _annotations(wanted)[_ASKED] = asked
    _annotations(wanted["spec"]["template"])[_CONTENT] = content
    return wanted


def _annotations(obj: Json) -> Json:
    found: Json = obj["metadata"].setdefault("annotations", {})
    return found
