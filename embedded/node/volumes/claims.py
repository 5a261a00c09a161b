"""Directories behind PersistentVolumes: they outlive Pods, and go with the PersistentVolume."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from embedded.client import Json
from embedded.node.volumes.content import ClaimPendingError
from embedded.node.volumes.ownership import Ownership


class ClaimSource(Protocol):
    """The source of claims."""

    async def claim(self, namespace: str, name: str) -> Json | None:
        """Return the PersistentVolumeClaim, or None when it does not exist."""


class Claims:
    """One directory per PersistentVolume, under `root`."""

    def __init__(self, root: Path, source: ClaimSource) -> None:
        self._root = root
        self._source = source
        root.mkdir(parents=True, exist_ok=True)

    async def directory(self, namespace: str, name: str, ownership: Ownership) -> Path:
        """Return the directory of a bound claim, given to whom `ownership` says.

        Raises ClaimPendingError while it is not bound, OSError.
        """
        claim = await self._source.claim(namespace, name)
        if claim is None:
            raise ClaimPendingError(f'persistentvolumeclaim "{name}" not found')
        volume = claim["spec"].get("volumeName")
        if not volume:
            raise ClaimPendingError(f'persistentvolumeclaim "{name}" is not bound')
        path = self._root / str(volume)
        ownership.make_claim(path)
        ownership.give_kept(path)
        return path

    def removed(self, volume: Json) -> None:
        """Remove the directory of a PersistentVolume that is no more."""
        shutil.rmtree(self._root / volume["metadata"]["name"], ignore_errors=True)
