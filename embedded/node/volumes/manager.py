"""The volumes of one Pod: made before its first container, refreshed while it lives."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.client import ApiError, Json, Unreachable
from embedded.node.pods.environment import expand
from embedded.node.pods.fields import FieldError
from embedded.node.volumes.atomic import AtomicDirectory, InvalidPathError
from embedded.node.volumes.claims import Claims
from embedded.node.volumes.content import (
    ClaimPendingError,
    ContentContext,
    VolumeNotReadyError,
    content_of,
)
from embedded.node.volumes.tokens import TokenError
from embedded.runtime.model import Bind

_NO_CONTENT = (VolumeNotReadyError, FieldError, TokenError, InvalidPathError)
Reference = tuple[str, str]
"""Kind (Secret or ConfigMap) and name of an object that a volume shows."""


class MountError(Exception):
    """A volume cannot be set up now; the message is a kubelet's, with the volume's name.

    `pending` says that what is missing is on its way.
    """

    def __init__(self, volume: str, problem: str, *, pending: bool = False) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {problem}')
        self.pending = pending


@dataclass(frozen=True)
class _Mounted:
    path: Path
    read_only: bool = False


class PodVolumes:
    """Sets up the volumes of one Pod under `directory`."""

    def __init__(self, directory: Path, context: ContentContext, claims: Claims) -> None:
        self._directory = directory
        self._context = context
        self._claims = claims
        self._ownership = context.ownership
        self._volumes: dict[str, Json] = {
            v["name"]: v for v in context.pod["spec"].get("volumes") or []
        }
        self._files: dict[str, AtomicDirectory] = {}
        self._mounted: dict[str, _Mounted] = {}

    @property
    def references(self) -> frozenset[Reference]:
        """The Secrets and ConfigMaps that the volumes show."""
        return frozenset(r for v in self._volumes.values() for r in references_of(v))

    @property
    def claim_names(self) -> frozenset[str]:
        """The PersistentVolumeClaims that the volumes stand on."""
        claims = (v.get("persistentVolumeClaim") for v in self._volumes.values())
        return frozenset(c["claimName"] for c in claims if c)

    async def set_up(self) -> None:
        """Make every volume that is not made yet. Raises MountError for the first that cannot."""
        for name, volume in self._volumes.items():
            if name not in self._mounted:
                try:
                    self._mounted[name] = await self._make(name, volume)
                except (*_NO_CONTENT, OSError, ApiError, Unreachable) as error:
                    pending = isinstance(error, ClaimPendingError)
                    raise MountError(name, str(error), pending=pending) from error

    async def refresh(self, reference: Reference | None, pod: Json) -> None:
        """Bring the volumes that show `reference` up to date; None means the Pod's own fields.

        What has gone meanwhile leaves the old files, as on a kubelet.
        """
        self._context = replace(self._context, pod=pod)
        for name, files in list(self._files.items()):
            volume = self._volumes[name]
            shown = references_of(volume)
            if reference in shown if reference else _shows_fields(volume):
                await self._rewrite(volume, files)

    def binds(self, container: Json, environment: Mapping[str, str]) -> list[Bind]:
        """Return the mounts of `container`, parents before what lies under them."""
        mounts = sorted(container.get("volumeMounts") or [], key=lambda m: str(m["mountPath"]))
        return [self._bind(mount, environment) for mount in mounts]

    async def _make(self, name: str, volume: Json) -> _Mounted:
        content = await content_of(volume, self._context)
        path = self._directory / name
        if content is not None:
            files = self._files[name] = AtomicDirectory(path, self._ownership.give_shown)
            files.write(content)
            return _Mounted(path, read_only=True)
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            namespace = self._context.namespace
            directory = await self._claims.directory(namespace, claim["claimName"], self._ownership)
            return _Mounted(directory, read_only=bool(claim.get("readOnly")))
        if "emptyDir" not in volume:
            kinds = ", ".join(k for k in volume if k != "name") or "no"
            raise VolumeNotReadyError(f"{kinds} volumes are not offered by this node")
        self._ownership.make_empty(path)
        return _Mounted(path)

    async def _rewrite(self, volume: Json, files: AtomicDirectory) -> None:
        try:
            content = await content_of(volume, self._context)
            files.write(content or {})
        except _NO_CONTENT:
            return

    def _bind(self, mount: Json, environment: Mapping[str, str]) -> Bind:
        mounted = self._mounted[mount["name"]]
        below = expand(mount.get("subPathExpr", ""), environment) or mount.get("subPath", "")
        source = mounted.path
        if below:
            source = _below(mounted, below)
        read_only = mounted.read_only or bool(mount.get("readOnly"))
        return Bind(source=source, target=mount["mountPath"], read_only=read_only)


def references_of(volume: Json) -> frozenset[Reference]:
    """Return the Secrets and ConfigMaps that one volume shows."""
    return frozenset(_references(volume))


def _references(volume: Json) -> Iterator[Reference]:
    projected = (volume.get("projected") or {}).get("sources") or []
    for part in [volume, *projected]:
        if "secret" in part:
            yield "Secret", part["secret"].get("secretName") or part["secret"].get("name", "")
        if "configMap" in part:
            yield "ConfigMap", part["configMap"]["name"]


def _shows_fields(volume: Json) -> bool:
    projected = (volume.get("projected") or {}).get("sources") or []
    return any("downwardAPI" in part for part in [volume, *projected])


def _below(mounted: _Mounted, path: str) -> Path:
    # Resolved once: a subPath keeps the file it was started with, as in Kubernetes.
    source = (mounted.path / path).resolve()
    if not source.is_relative_to(mounted.path.resolve()):
        raise MountError(mounted.path.name, f"subPath {path!r} leads out of the volume")
    if not source.exists():
        source.mkdir(parents=True)
        source.chmod(stat.S_IMODE(mounted.path.stat().st_mode))
    return source
