"""Refusals, as the `Status` objects that clients know how to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embedded.api.jsons import Json


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One reason among several: the field, the machine's word for it, the sentence."""

    field: str
    reason: str
    message: str

    def as_json(self) -> Json:
        """The `StatusCause`."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """A refusal with an HTTP code; `status()` is the body of the answer."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details

    def status(self) -> Json:
        """The `Status` object."""
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status


class PlainNotFoundError(Exception):
    """A path outside of the API: a real server answers it in plain text."""


@dataclass(frozen=True)
class Subject:
    """The object or resource that a refusal is about."""

    group: str
    plural: str
    kind: str
    name: str = ""

    @property
    def qualified(self) -> str:
        """`pods` or `deployments.apps`, as the messages name resources."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def details(self, **more: Any) -> Json:
        """The `StatusDetails`; a real server puts the plural where the kind is due."""
        found: Json = {"name": self.name, "group": self.group, "kind": self.plural, **more}
        return {key: value for key, value in found.items() if value}


def not_found(subject: Subject) -> ApiError:
    """404 for an object that does not exist."""
    text = f'{subject.qualified} "{subject.name}" not found'
    return ApiError(404, "NotFound", text, subject.details())


def no_resource() -> ApiError:
    """404 for a resource that a known group does not have."""
    text = "the server could not find the requested resource"
    return ApiError(404, "NotFound", text, {})


def already_exists(subject: Subject) -> ApiError:
    """409 for a create of what is there."""
    text = f'{subject.qualified} "{subject.name}" already exists'
    return ApiError(409, "AlreadyExists", text, subject.details())


def conflict(subject: Subject, why: str) -> ApiError:
    """409 for a write on top of another."""
    text = f'Operation cannot be fulfilled on {subject.qualified} "{subject.name}": {why}'
    return ApiError(409, "Conflict", text, subject.details())


def forbidden(subject: Subject, why: str, causes: Sequence[Cause] = ()) -> ApiError:
    """403 with the reason."""
    text = f'{subject.qualified} "{subject.name}" is forbidden: {why}'
    return ApiError(
        403, "Forbidden", text, subject.details(causes=[cause.as_json() for cause in causes])
    )


def bad_request(why: str) -> ApiError:
    """400 for what cannot be read at all."""
    return ApiError(400, "BadRequest", why)


def invalid(subject: Subject, causes: Sequence[Cause]) -> ApiError:
    """422 for an object that breaks the rules of its kind."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = subject.details(causes=[cause.as_json() for cause in causes])
    details["kind"] = subject.kind
    kind = f"{subject.kind}.{subject.group}" if subject.group else subject.kind
    return ApiError(422, "Invalid", f'{kind} "{subject.name}" is invalid: {listed}', details)


def expired(why: str) -> ApiError:
    """410 for a version that the history no longer has."""
    return ApiError(410, "Expired", why)


def gone_too_far(asked: int, current: int) -> ApiError:
    """504 for a version that does not exist yet."""
    text = f"Timeout: Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1})


def bad_options(kind: str, cause: Cause) -> ApiError:
    """422 for an option of a request: `kind` is `PatchOptions` and its like."""
    return invalid(Subject("meta.k8s.io", "", kind), [cause])


def not_acceptable() -> ApiError:
    """406 for a client that reads nothing of what is served."""
    text = (
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf"
    )
    return ApiError(406, "NotAcceptable", text)


def method_not_allowed(subject: Subject) -> ApiError:
    """405 for a verb that the resource does not have."""
    text = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", text, subject.details())


def not_implemented(what: str) -> ApiError:
    """501 for what a real server would do and this one does not."""
    return ApiError(501, "NotImplemented", f"{what} is not implemented by the embedded platform")


def unsupported_media(got: str, supported: Sequence[str]) -> ApiError:
    """415 for a body of an unknown form."""
    text = (
        "the body of the request was in an unknown format - accepted media types include: "
        f"{', '.join(supported)}; got {got or 'none'}"
    )
    return ApiError(415, "UnsupportedMediaType", text)
