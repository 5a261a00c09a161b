"""The paths of requests, and the resources that they name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

_NAMESPACE_PARTS = {"status", "finalize"}


@dataclass(frozen=True)
class ResourcePath:
    """A path below a group and version; empty strings where a part is not there."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


def parse(raw: str) -> ResourcePath | None:
    """The path of a resource, or of a version's list of resources; None for all else."""
    parts = [unquote(part) for part in raw.split("/")[1:]]
    if parts and not parts[-1]:
        parts.pop()
    if len(parts) >= 2 and parts[0] == "api":
        return _below("", parts[1], parts[2:])
    if len(parts) >= 3 and parts[0] == "apis":
        return _below(parts[1], parts[2], parts[3:])
    return None


def _below(group: str, version: str, parts: list[str]) -> ResourcePath:
    namespace = ""
    named = len(parts) >= 3 and parts[0] == "namespaces"
    if named and not (group == "" and len(parts) == 3 and parts[2] in _NAMESPACE_PARTS):
        namespace, parts = parts[1], parts[2:]
    padded = [*parts, "", "", ""]
    return ResourcePath(
        group, version, padded[0], namespace, padded[1], padded[2], "/".join(parts[3:])
    )
