"""Reading and writing the data of Secrets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from embedded.client import Json


def read(secret: Json | None, key: str) -> bytes:
    """The bytes under a key; empty where Secret or key is absent."""
    encoded = ((secret or {}).get("data") or {}).get(key) or ""
    try:
        return base64.b64decode(encoded)
    except binascii.Error:
        return b""


def encode(data: Mapping[str, bytes | str]) -> dict[str, str]:
    """Data for a Secret."""
    return {
        key: base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
        for key, value in data.items()
    }
