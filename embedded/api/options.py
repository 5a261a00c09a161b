"""The options of requests: what is refused, with 422 and the field, as a real server does."""

from __future__ import annotations

from embedded.api import errors
from embedded.api.builtin.rules import immutable, required, unsupported, wrong
from embedded.api.errors import ApiError, Cause

VALIDATIONS = ("Strict", "Warn", "Ignore")
PROPAGATIONS = ("Foreground", "Background", "Orphan")
_MATCHES = ("Exact", "NotOlderThan")
_LONGEST_MANAGER = 128
_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


def refusal(method: str, cause: Cause) -> ApiError:
    """The refusal of an option of a writing request."""
    return errors.bad_options(_KINDS.get(method, "DeleteOptions"), cause)


def check_write(method: str, validation: str, manager: str, *, forced: bool) -> None:
    """Raise ApiError 422 for options of a write that are none; `forced` is not for an apply."""
    if validation and validation not in VALIDATIONS:
        allowed = ("", "Ignore", "Strict", "Warn")
        raise refusal(method, unsupported("fieldValidation", validation, allowed))
    if len(manager) > _LONGEST_MANAGER:
        text = f"may not be more than {_LONGEST_MANAGER} bytes"
        raise refusal(method, Cause(field="fieldManager", reason="FieldValueTooLong", message=text))
    if not manager.isprintable():
        raise refusal(
            method, wrong("fieldManager", manager, "should only contain printable characters")
        )
    if forced:
        raise refusal(method, immutable("force", "may not be specified for non-apply patch"))


def check_apply(manager: str) -> None:
    """Raise ApiError 422 for an apply by nobody."""
    if not manager:
        cause = required("fieldManager", "is required for apply patch")
        raise refusal("PATCH", cause)


def check_propagation(policy: object, orphan: object) -> None:
    """Raise ApiError 422 for a propagation that is none, or that is asked for twice."""
    if policy in (None, ""):
        return
    if orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        raise refusal("DELETE", wrong("propagationPolicy", policy, text))
    if policy not in PROPAGATIONS:
        raise refusal("DELETE", unsupported("propagationPolicy", policy, (*PROPAGATIONS, "nil")))


def check_watch(match: str, *, initial: bool) -> None:
    """Raise ApiError 422 for a watch whose two options for its beginning do not fit."""
    if initial and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise _list_refusal(immutable("resourceVersionMatch", text))
    if match and not initial:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise _list_refusal(immutable("resourceVersionMatch", text))


def check_list(match: str, version: str, continued: str, *, initial: bool) -> None:
    """Raise ApiError 422 for options of a list that do not go together."""
    if initial:
        text = "sendInitialEvents is forbidden for list"
        raise _list_refusal(immutable("sendInitialEvents", text))
    if not match:
        return
    if not version:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise _list_refusal(immutable("resourceVersionMatch", text))
    if continued:
        text = "resourceVersionMatch is forbidden when continue is provided"
        raise _list_refusal(immutable("resourceVersionMatch", text))
    if match not in _MATCHES:
        raise _list_refusal(unsupported("resourceVersionMatch", match, (*_MATCHES, "")))
    if match == "Exact" and version == "0":
        text = 'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
        raise _list_refusal(immutable("resourceVersionMatch", text))


def _list_refusal(cause: Cause) -> ApiError:
    return errors.bad_options("ListOptions", cause)
