"""JSON patch (RFC 6902)."""

from __future__ import annotations

from typing import Any

import jsonpatch

from embedded.api.errors import ApiError, Subject, bad_request


def patched(target: Any, operations: Any, subject: Subject) -> Any:
    """The target after all operations; raises ApiError 400 (malformed) or 422 (not applicable)."""
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    try:
        return jsonpatch.JsonPatch(operations).apply(target)
    except jsonpatch.InvalidJsonPatch as error:
        raise bad_request(f"not a JSON patch: {error}") from error
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise ApiError(
            422,
            "Invalid",
            f"the server rejected our request due to an error in our request: {error}",
            subject.details(),
        ) from error
