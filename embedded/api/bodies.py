"""Request bodies: JSON, YAML and, for built-in kinds, protobuf."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from embedded.api import errors, protobuf
from embedded.api.documents import from_json, from_yaml
from embedded.api.jsons import Json
from embedded.api.types import decode
from embedded.api.types.builtin import message

_JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
LARGEST = 3 * 1024 * 1024
"""Bytes that a body may have, as with a real server."""


def typed(message_name: str, body: Any) -> Json:
    """A body as a message of the table of types; raises ApiError 400."""
    if not isinstance(body, dict):
        raise errors.bad_request("the body is not a JSON object")
    found: Json = decode.read(message(message_name), body, [])
    return found


def media_type(request: web.BaseRequest) -> str:
    """The content type without its parameters."""
    return request.headers.get("Content-Type", "").split(";")[0].strip().lower()


async def raw(request: web.BaseRequest) -> bytes:
    """The body's bytes; raises ApiError 413."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        text = f"Request entity too large: limit is {LARGEST}"
        raise errors.ApiError(413, "RequestEntityTooLarge", text) from error


async def read(request: web.BaseRequest, repeated: list[str] | None = None) -> Any:
    """The object in the body; what it has twice is listed. Raises ApiError 400, 413, 415."""
    body = await raw(request)
    kind = media_type(request)
    if kind in {"", _JSON}:
        return from_json(body, repeated)
    if kind in {YAML, "application/x-yaml", "text/yaml"}:
        return from_yaml(body)
    if kind == PROTOBUF:
        return protobuf.decode(body)
    raise errors.unsupported_media(kind, (_JSON, YAML, PROTOBUF))
