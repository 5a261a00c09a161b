"""The WebSocket subprotocols of exec, attach and port-forward, and none at all.

The way to the node has one form: binary messages that begin with the number of their channel, with
the `Status` of a command in JSON. Each subprotocol differs from it in something: channels as digits
and bytes in base64, or a last message that is text and only comes after a failure.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

STATUS = 3
"""The channel on which a command's end is told."""
_V4 = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io")
_OLD = ("channel.k8s.io", "base64.channel.k8s.io", "")
EXEC_PROTOCOLS = ("v5.channel.k8s.io", *_V4, *_OLD)
FORWARD_PROTOCOLS = (*_V4, "")
"""Those of a client, in the order of a server's liking; the empty name is a client without one."""
Message = bytes | str


def chosen(offered: Sequence[str], served: Sequence[str]) -> str | None:
    """The first that both have, in the client's order; None where they have none in common."""
    return next((name for name in offered or ("",) if name in served), None)


@dataclass(frozen=True)
class Framing:
    """One subprotocol, as translation from and to the way to the node."""

    protocol: str
    command: bool
    """True of exec and attach, false of port-forward, where channel 3 is like any other."""

    def inwards(self, message: Message) -> bytes:
        """A client's message as the node takes it; empty for one that says nothing."""
        if self._in_base64:
            text = message if isinstance(message, str) else message.decode("ascii", "replace")
            try:
                return bytes([int(text[:1])]) + base64.b64decode(text[1:])
            except (ValueError, binascii.Error):
                return b""
        return message.encode() if isinstance(message, str) else message

    def outwards(self, data: bytes) -> Message | None:
        """A message of the node as the client takes it; None for one that it does not get."""
        if self.command and data[:1] == bytes([STATUS]) and self.protocol in _OLD:
            text = failure_text(data[1:])
            if not text:
                return None
            data = data[:1] + text
        if self._in_base64:
            return f"{data[0]}{base64.b64encode(data[1:]).decode()}"
        return data

    @property
    def _in_base64(self) -> bool:
        return "base64" in self.protocol


def failure_text(status: bytes) -> bytes:
    """The sentence in a `Status` in JSON; empty after a success."""
    found = json.loads(status)
    return b"" if found.get("status") == "Success" else str(found.get("message", "")).encode()
