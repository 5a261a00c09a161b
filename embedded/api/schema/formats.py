"""The formats of strings that a schema may demand; a format that is not known fits everything."""

from __future__ import annotations

import base64
import ipaddress
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

_READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "byte": lambda text: base64.b64decode(text, validate=True),
        "cidr": ipaddress.ip_network,
        "date": date.fromisoformat,
        "date-time": datetime.fromisoformat,
        "ipv4": ipaddress.IPv4Address,
        "ipv6": ipaddress.IPv6Address,
        "uuid": uuid.UUID,
    }
)


def fits(form: str, text: str) -> bool:
    """Return whether the text has the format."""
    reader = _READERS.get(form)
    if reader is None:
        return True
    try:
        reader(text)
    except ValueError:
        return False
    return True
