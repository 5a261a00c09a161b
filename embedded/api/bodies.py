"""Request bodies: JSON, YAML and, for built-in kinds, protobuf."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from embedded.api import errors, protobuf

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
LARGEST = 3 * 1024 * 1024
"""Bytes that a body may have, as with a real server."""


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


async def read(request: web.BaseRequest) -> Any:
    """The object in the body; raises ApiError 400, 413, 415."""
    body = await raw(request)
    kind = media_type(request)
    if kind in {"", JSON}:
        return from_json(body)
    if kind in {YAML, "application/x-yaml", "text/yaml"}:
        return from_yaml(body)
    if kind == PROTOBUF:
        return protobuf.decode(body)
    raise errors.unsupported_media(kind, (JSON, YAML, PROTOBUF))


def from_json(body: bytes) -> Any:
    """JSON; raises ApiError 400."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise errors.bad_request(f"the body is not JSON: {error}") from error


def from_yaml(body: bytes) -> Any:
    """YAML, of which JSON is a part; raises ApiError 400."""
    if body[:1] == b"{":
        return from_json(body)
    try:
        return yaml.load(body, Loader=_Loader)  # noqa: S506 the loader is a safe one
    except yaml.YAMLError as error:
        raise errors.bad_request(f"the body is not YAML: {error}") from error


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, and without timestamps: JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
