"""A container's environment, command and arguments.

Rules: Kubernetes API reference, Container.env, envFrom, command and args; `$(NAME)` is replaced by
the variable of that name, `$$` stands for a dollar sign, and what is unknown stays as written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from embedded.client import Json
from embedded.images.model import ImageConfig
from embedded.node.pods.fields import PodFacts, field_value, resource_value


class ConfigMissingError(Exception):
    """A Secret, ConfigMap or key that the environment needs is not there; says which."""


class Objects(Protocol):
    """The source of Secrets and ConfigMaps."""

    async def secret(self, namespace: str, name: str) -> Json | None:
        """Return the Secret, or None when it does not exist."""

    async def config_map(self, namespace: str, name: str) -> Json | None:
        """Return the ConfigMap, or None when it does not exist."""


_REFERENCE = re.compile(r"\$(?:\$|\(([A-Za-z_.\-][A-Za-z0-9_.\-]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)` in `text`."""

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(one, text)


def argv_of(container: Json, image: ImageConfig, variables: Mapping[str, str]) -> list[str]:
    """Return what is executed: the container's command and args, or else the image's own."""
    command, args = container.get("command") or [], container.get("args") or []
    given = [expand(word, variables) for word in args]
    if command:
        return [*(expand(word, variables) for word in command), *given]
    return [*image.entrypoint, *(given or image.command)]


async def build_environment(
    pod: Json, container: Json, image: ImageConfig, facts: PodFacts, objects: Objects
) -> dict[str, str]:
    """Return the variables of `container`; ConfigMissingError when a source is not there."""
    builder = _Builder(pod, container, facts, objects)
    variables = dict(image.env)
    for source in container.get("envFrom") or []:
        variables.update(await builder.all_of(source))
    for entry in container.get("env") or []:
        value = await builder.value_of(entry, variables)
        if value is not None:
            variables[entry["name"]] = value
    return variables


def references_in_environment(pod: Json) -> Iterator[tuple[str, str]]:
    """Yield kind and name of the Secrets and ConfigMaps that containers' variables come from."""
    for container in [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]:
        sources = [entry.get("valueFrom") or {} for entry in container.get("env") or []]
        for source in [*sources, *(container.get("envFrom") or [])]:
            for form in ("secretKeyRef", "secretRef", "configMapKeyRef", "configMapRef"):
                if form in source:
                    yield "Secret" if form[0] == "s" else "ConfigMap", source[form]["name"]


class _Builder:
    def __init__(self, pod: Json, container: Json, facts: PodFacts, objects: Objects) -> None:
        self._pod, self._container, self._facts, self._objects = pod, container, facts, objects
        self._namespace = pod["metadata"]["namespace"]

    async def all_of(self, source: Json) -> dict[str, str]:
        kind = "Secret" if "secretRef" in source else "ConfigMap"
        reference = source.get("secretRef") or source.get("configMapRef") or {}
        data = await self._data(kind, reference["name"], optional=reference.get("optional", False))
        prefix = source.get("prefix", "")
        return {prefix + name: value for name, value in sorted((data or {}).items())}

    async def value_of(self, entry: Json, variables: Mapping[str, str]) -> str | None:
        source = entry.get("valueFrom")
        if not source:
            return expand(entry.get("value") or "", variables)
        if "fieldRef" in source:
            return field_value(self._pod, source["fieldRef"]["fieldPath"], self._facts)
        if "resourceFieldRef" in source:
            return resource_value(self._pod, source["resourceFieldRef"], self._container["name"])
        kind = "Secret" if "secretKeyRef" in source else "ConfigMap"
        return await self._key(kind, source.get("secretKeyRef") or source["configMapKeyRef"])

    async def _key(self, kind: str, reference: Json) -> str | None:
        optional = reference.get("optional", False)
        data = await self._data(kind, reference["name"], optional=optional)
        value = (data or {}).get(reference["key"])
        if value is None and not optional:
            raise ConfigMissingError(
                f"couldn't find key {reference['key']} in "
                f"{kind} {self._namespace}/{reference['name']}"
            )
        return value

    async def _data(self, kind: str, name: str, *, optional: bool) -> dict[str, str] | None:
        find = self._objects.secret if kind == "Secret" else self._objects.config_map
        obj = await find(self._namespace, name)
        if obj is None:
            if optional:
                return None
            raise ConfigMissingError(f'{kind.lower()} "{name}" not found')
        if kind == "ConfigMap":
            return dict(obj.get("data") or {})
        data = obj.get("data") or {}
        return {k: base64.b64decode(v).decode(errors="replace") for k, v in data.items()}
