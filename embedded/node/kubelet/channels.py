"""Streams over one WebSocket: the first byte of each message names the channel.

Protocols: `v4.channel.k8s.io` and `v5.channel.k8s.io`
(k8s.io/apimachinery/pkg/util/remotecommand/constants.go); the latter can close a channel.
"""

from __future__ import annotations

import json

from aiohttp import web

from embedded.runtime.model import ExitStatus

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


def new_socket(*protocols: str) -> web.WebSocketResponse:
    """Return the answering end of a WebSocket that carries channels."""
    # Compression costs time and brings nothing within one machine.
    return web.WebSocketResponse(protocols=protocols, max_msg_size=0, compress=False)


def exit_message(status: ExitStatus) -> bytes:
    """Return the last message of a command: a Status with its exit code."""
    if status.code == 0:
        return _status({"metadata": {}, "status": "Success"})
    code = str(status.code)
    return _status(
        {
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": "command terminated with non-zero exit code: "
            f"error executing command, exit code {code}",
            "details": {"causes": [{"reason": "ExitCode", "message": code}]},
        }
    )


def failure_message(problem: str) -> bytes:
    """Return the last message of a command that could not be run."""
    return _status(
        {
            "metadata": {},
            "status": "Failure",
            "reason": "InternalError",
            "message": f"error executing command in container: {problem}",
            "code": 500,
        }
    )


def _status(status: dict[str, object]) -> bytes:
    head = {"kind": "Status", "apiVersion": "v1"}
    return bytes([STATUS]) + json.dumps(head | status).encode()
