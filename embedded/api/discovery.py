"""Discovery: which groups, versions and resources there are; version, health, and OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from embedded.api.access.reviews import REVIEWS
from embedded.api.jsons import Json
from embedded.api.resources import Registry, Resource
from embedded.architecture import architecture

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
VERSION: Json = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0-embedded",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": f"linux/{architecture()}",
}
_SUBRESOURCE_VERBS = MappingProxyType(
    {
        "binding": ["create"],
        "ephemeralcontainers": ["get", "patch", "update"],
        "eviction": ["create"],
        "finalize": ["update"],
        "log": ["get"],
        "token": ["create"],
    }
)
_KINDS_OF_OTHERS = MappingProxyType(
    {
        "Eviction": {"group": "policy", "version": "v1"},
        "TokenRequest": {"group": "authentication.k8s.io", "version": "v1"},
    }
)
"""Kinds of subresources that are of another group than their resource."""
_CREATE_ONLY = tuple((*key, review) for key, review in REVIEWS.items())
"""Resources that are answered without being stored."""


def core_versions() -> Json:
    """`/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(registry: Registry) -> Json:
    """`/apis`."""
    listed = [group(registry, name) for name in sorted(_names(registry))]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def _names(registry: Registry) -> set[str]:
    stored = {resource.group for resource in registry.all() if resource.group}
    return stored | {entry[0] for entry in _CREATE_ONLY}


def group(registry: Registry, name: str) -> Json | None:
    """`/apis/GROUP`; None for a group that is not there."""
    found = [resource.version for resource in registry.all() if resource.group == name]
    found += [entry[1] for entry in _CREATE_ONLY if entry[0] == name]
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in dict.fromkeys(found)
    ]
    if not versions or not name:
        return None
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def resources(registry: Registry, name: str, version: str) -> Json | None:
    """`/apis/GROUP/VERSION` or `/api/VERSION`; None for what is not there."""
    entries = [
        entry
        for resource in registry.all()
        if (resource.group, resource.version) == (name, version)
        for entry in _entries(resource)
    ]
    entries += [
        {
            "name": plural,
            "singularName": review.kind.lower(),
            "namespaced": review.namespaced,
            "kind": review.kind,
            "verbs": ["create"],
        }
        for at_group, at_version, plural, review in _CREATE_ONLY
        if (at_group, at_version) == (name, version)
    ]
    if not entries:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": entries,
    }


def _entries(resource: Resource) -> Iterable[Json]:
    entry: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": [
            verb for verb in _VERBS if not (resource.one_by_one and verb == "deletecollection")
        ],
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    yield entry
    if resource.status:
        yield _sub(resource, "status", resource.kind, ["get", "patch", "update"])
    if resource.scale:
        scale = _sub(resource, "scale", "Scale", ["get", "patch", "update"])
        yield {**scale, "group": "autoscaling", "version": "v1"}
    for name, kind in resource.subresources.items():
        found = _sub(resource, name, kind, _SUBRESOURCE_VERBS.get(name, ["create", "get"]))
        yield found | _KINDS_OF_OTHERS.get(kind, {})


def _sub(resource: Resource, name: str, kind: str, verbs: list[str]) -> Json:
    return {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    }
