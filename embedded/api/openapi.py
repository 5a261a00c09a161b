"""OpenAPI 3 of each group and version, and OpenAPI 2 of the built-in kinds, made from their shapes.

Enough for `kubectl explain` and for clients that check what they send: fields, types, lists' keys,
and which options a request takes; without descriptions, but for those that a CRD brings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from embedded.api.custom import CustomRules
from embedded.api.jsons import Json, encode
from embedded.api.resources import Registry, Resource
from embedded.api.types.builtin import message
from embedded.api.types.shape import Shape

_VERSION = "v1.34.0-embedded"
_INFO = MappingProxyType({"title": "Kubernetes", "version": _VERSION})
_META = "meta.ObjectMeta"
_V2, _V3 = "#/definitions/", "#/components/schemas/"
_SCALARS: Mapping[str, Json] = MappingProxyType(
    {
        "bool": {"type": "boolean"},
        "bytes": {"type": "string", "format": "byte"},
        "double": {"type": "number", "format": "double"},
        "int32": {"type": "integer", "format": "int32"},
        "int64": {"type": "integer", "format": "int64"},
        "intstr": {"type": "string", "format": "int-or-string", "x-kubernetes-int-or-string": True},
        "microtime": {"type": "string", "format": "date-time"},
        "time": {"type": "string", "format": "date-time"},
    }
)
_OPTIONS = ("dryRun", "fieldManager", "fieldValidation")
_ACTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "list": {"get": "list", "post": "post", "delete": "deletecollection"},
        "object": {"get": "get", "put": "put", "patch": "patch", "delete": "delete"},
    }
)


def index(registry: Registry) -> Json:
    """`/openapi/v3`: where the document of each group and version is."""
    found: dict[str, list[Resource]] = {}
    for resource in registry.all():
        found.setdefault(_path(resource), []).append(resource)
    urls = {path: f"/openapi/v3/{path}?hash={_hash(group)}" for path, group in found.items()}
    return {"paths": {path: {"serverRelativeURL": url} for path, url in urls.items()}}


def _path(resource: Resource) -> str:
    """Return the path of the document that a resource is in."""
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def document(registry: Registry, path: str) -> bytes | None:
    """`/openapi/v3/PATH`, encoded; None for a group and version that is not served."""
    found = tuple(item for item in registry.all() if _path(item) == path)
    if not found:
        return None
    return _built_in(found) if not any(item.custom for item in found) else _document(found)


@cache
def _built_in(resources: tuple[Resource, ...]) -> bytes:
    return _document(resources)


def _document(resources: Iterable[Resource]) -> bytes:
    schemas: Json = {}
    paths: Json = {}
    for resource in resources:
        name = _define(resource, schemas, _V3)
        paths |= _paths(resource, name)
    body = {"openapi": "3.0.0", "info": dict(_INFO), "paths": paths}
    return encode({**body, "components": {"schemas": schemas}})


def swagger(registry: Registry) -> bytes:
    """`/openapi/v2`, encoded: the definitions of all kinds."""
    definitions: Json = {}
    for resource in registry.all():
        _define(resource, definitions, _V2)
    body = {"swagger": "2.0", "info": dict(_INFO), "paths": {}}
    return encode({**body, "definitions": definitions})


def _hash(resources: Iterable[Resource]) -> str:
    schemas = [item.rules.schema for item in resources if isinstance(item.rules, CustomRules)]
    return hashlib.sha256(_VERSION.encode() + encode(schemas)).hexdigest()[:32]


def _define(resource: Resource, schemas: Json, prefix: str) -> str:
    """Put a kind, and all that it is made of, among the schemas; returns its name."""
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    if isinstance(resource.rules, CustomRules):
        name = ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
        schema = dict(resource.rules.schema)
        _reach(message(_META), schemas, prefix)
        typed = {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": prefix + _name(_META)},
        }
        schema["properties"] = {**(schema.get("properties") or {}), **typed}
    elif resource.shape.message:
        name = _name(resource.shape.message)
        schema = _struct(resource.shape, schemas, prefix)
    else:
        name = f"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.{resource.kind}"
        schema = _struct(resource.shape, schemas, prefix)
    schemas[name] = {**schema, "x-kubernetes-group-version-kind": [kind]}
    return name


def _name(word: str) -> str:
    package, kind = word.split(".")
    if package == "meta":
        return f"io.k8s.apimachinery.pkg.apis.meta.v1.{kind}"
    return f"io.k8s.api.{package}.{'v2' if package == 'autoscaling' else 'v1'}.{kind}"


def _reach(shape: Shape, schemas: Json, prefix: str) -> None:
    name = _name(shape.message)
    if name not in schemas:
        # Named before it is made: a kind may hold itself.
        schemas[name] = {}
        schemas[name] = _struct(shape, schemas, prefix)


def _struct(shape: Shape, schemas: Json, prefix: str) -> Json:
    members = {name: _schema(child, schemas, prefix) for name, child in shape.fields.items()}
    found: Json = {"type": "object", "properties": members}
    return found | ({"x-kubernetes-map-type": "atomic"} if shape.atomic else {})


def _schema(shape: Shape, schemas: Json, prefix: str) -> Json:
    if shape.kind == "struct" and shape.message:
        _reach(shape, schemas, prefix)
        return {"$ref": prefix + _name(shape.message)}
    if shape.kind == "struct":
        return _struct(shape, schemas, prefix)
    if shape.kind == "map" and shape.element:
        return {"type": "object", "additionalProperties": _schema(shape.element, schemas, prefix)}
    if shape.kind == "list":
        return _list(shape, schemas, prefix)
    if shape.kind == "scalar":
        return dict(_SCALARS.get(shape.wire, {"type": "string"}))
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _list(shape: Shape, schemas: Json, prefix: str) -> Json:
    items = _schema(shape.element, schemas, prefix) if shape.element else {}
    found: Json = {"type": "array", "items": items, "x-kubernetes-list-type": shape.list_kind}
    if shape.keys:
        found["x-kubernetes-list-map-keys"] = list(shape.keys)
    if shape.patch:
        found["x-kubernetes-patch-strategy"] = shape.patch
    if shape.merge_key:
        found["x-kubernetes-patch-merge-key"] = shape.merge_key
    return found


def _paths(resource: Resource, name: str) -> Json:
    root = f"/apis/{resource.group}" if resource.group else "/api"
    root = f"{root}/{resource.version}"
    home = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
    found = {
        f"{home}/{resource.plural}": _operations(resource, name, "list"),
        f"{home}/{resource.plural}/{{name}}": _operations(resource, name, "object"),
    }
    if resource.namespaced:
        found[f"{root}/{resource.plural}"] = {
            "get": _operations(resource, name, "list")["get"],
        }
    return found


def _operations(resource: Resource, name: str, on: str) -> Json:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    content = {"application/json": {"schema": {"$ref": _V3 + name}}}
    found: Json = {}
    for method, action in _ACTIONS[on].items():
        operation: Json = {
            "responses": {"200": {"description": "OK", "content": content}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": kind,
        }
        if method in {"post", "put", "patch"}:
            options = (*_OPTIONS, "force") if method == "patch" else _OPTIONS
            operation["parameters"] = [_parameter(option) for option in options]
        found[method] = operation
    return found


def _parameter(name: str) -> Json:
    kind: Any = "boolean" if name == "force" else "string"
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}
