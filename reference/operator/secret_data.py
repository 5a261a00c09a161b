"""The data of Secrets: read from objects of the API, and drafted for them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from embedded.client import Json
from reference.operator.model import Cluster

SecretLookup = Callable[[str], Json | None]
"""Finds a Secret of the cluster's namespace by name."""


def read(secret: Json | None, key: str) -> bytes:
    """Return the bytes under a key; empty where Secret or key is absent."""
    encoded = ((secret or {}).get("data") or {}).get(key) or ""
    try:
        return base64.b64decode(encoded)
    except binascii.Error:
        return b""


def encode(data: Mapping[str, bytes | str]) -> dict[str, str]:
    """Return data for a Secret's manifest."""
    return {key: base64.b64encode(_bytes(value)).decode() for key, value in data.items()}


@dataclass(frozen=True, kw_only=True)
class SecretDraft:
    """A Secret of a cluster as it is to be.

    `labels` come on top of those that all objects of the cluster have; None means no label at all.
    One that is `owned` is collected with the cluster; the others outlive it.
    """

    name: str
    data: Mapping[str, bytes | str]
    labels: Mapping[str, str] | None = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    type: str = "Opaque"
    owned: bool = False

    def value(self, key: str) -> bytes:
        """Return the bytes under a key; empty where it is absent."""
        return _bytes(self.data.get(key, b""))

    def holding(self, data: Mapping[str, bytes | str]) -> SecretDraft:
        """Return the same Secret with other or more data under these keys."""
        return replace(self, data={**self.data, **data})

    def lacking(self, *keys: str) -> SecretDraft:
        """Return the same Secret without these keys."""
        return replace(self, data={k: v for k, v in self.data.items() if k not in keys})

    def manifest(self, cluster: Cluster) -> Json:
        """Return the object to apply."""
        metadata: Json = {"name": self.name, "namespace": cluster.names.namespace}
        if self.labels is not None:
            metadata["labels"] = cluster.names.labels(**self.labels)
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        if self.owned:
            metadata["ownerReferences"] = [cluster.owner()]
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": self.type,
            "data": encode(self.data),
        }


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
