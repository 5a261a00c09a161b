"""Errors between a client and the API server."""

# The names are the reasons of the API's own Status objects.
# ruff: noqa: N818

from __future__ import annotations

import json
from typing import Any


class ConfigError(Exception):
    """The address or the credentials of the API server cannot be read."""


class Unreachable(Exception):
    """No answer came: the connection was refused, cut or too slow."""


class ApiError(Exception):
    """The API server answered with a failure Status.

    `code` is the HTTP status, `reason` the machine word of the Status (`NotFound`,
    `Conflict`, ...), `message` its sentence, `details` its causes, if any.
    """

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}


class NotFound(ApiError):
    """404: the object, its namespace or its kind is not there."""


class Conflict(ApiError):
    """409: the object changed since it was read, or a precondition failed."""


class AlreadyExists(ApiError):
    """409 to a create: the name is taken."""


class Gone(ApiError):
    """410: the resourceVersion is too old to watch from; list again."""


class Invalid(ApiError):
    """422: the object breaks a rule of its kind."""


class Terminating(ApiError):
    """403 to a create: the namespace is being deleted."""


_BY_CODE: dict[int, type[ApiError]] = {404: NotFound, 409: Conflict, 410: Gone, 422: Invalid}


def from_status(code: int, status: dict[str, Any]) -> ApiError:
    """Make the exception that fits a Status object."""
    reason = str(status.get("reason") or "")
    details = status.get("details") or {}
    causes = {cause.get("reason") for cause in details.get("causes") or []}
    kind = _BY_CODE.get(code, ApiError)
    if reason == "AlreadyExists":
        kind = AlreadyExists
    elif "NamespaceTerminating" in causes:
        kind = Terminating
    return kind(code, reason, str(status.get("message") or ""), details)


def from_body(code: int, body: bytes) -> ApiError:
    """Make the exception for an HTTP answer; a body that is no Status becomes the message."""
    try:
        status = json.loads(body)
    except ValueError:
        status = None
    if not isinstance(status, dict):
        status = {"message": body.decode(errors="replace").strip()}
    return from_status(code, status)
