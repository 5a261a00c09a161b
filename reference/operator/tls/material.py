"""The certificates that a cluster runs with: the user's, or generated ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embedded.client import Json
from reference.operator.model import SecretRef
from reference.operator.pki import Authority
from reference.operator.tls.custom import CA, CERTIFICATE, KEY

PATHS = (CERTIFICATE, KEY, CA)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A Secret with leaf, key and CA of one purpose; `keys` maps a path to another data key."""

    secret: str
    keys: Mapping[str, str] = field(default_factory=dict)

    def key(self, path: str) -> str:
        """Return the data key that holds what is mounted at `path`."""
        return self.keys.get(path, path)

    def projections(self, below: str = "") -> list[Json]:
        """Return the sources of a projected volume, their files under the directory `below`."""
        items = [{"key": self.key(path), "path": below + path} for path in PATHS]
        return [{"secret": {"name": self.secret, "items": items}}]

    @classmethod
    def of(cls, ref: SecretRef) -> Source:
        """Return the user's Secret, by the mapping of its reference."""
        return cls(secret=ref.name, keys={path: ref.key(path) for path in PATHS})


@dataclass(frozen=True, kw_only=True)
class Tls:
    """The root that signs for a cluster, and its leaves; one whose source is None is generated."""

    authority: Authority
    custom_root: bool
    server: Source | None
    replication: Source | None

    @property
    def custom_leaves(self) -> bool:
        """Return whether the user gave a leaf."""
        return self.server is not None or self.replication is not None

    @property
    def generated(self) -> bool:
        """Return whether the user gave neither leaves nor a root."""
        return not (self.custom_leaves or self.custom_root)
