"""Run the API server: `python -m embedded.api --state-dir DIR [--listen HOST:PORT] …`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from embedded.api import bootstrap
from embedded.api.bodies import LARGEST
from embedded.api.config import ApiConfig, ConfigError, load
from embedded.api.server import ApiServer

_WRONG_USE = 4
_LONGEST_LINE = 1 << 20
"""Bytes of a URL or a header, as with a real server."""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.api", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True, help="folder with api.json")
    parser.add_argument("--listen", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--listen-fd", action="append", type=int, default=[], metavar="N")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="gets a line when serving")
    options = parser.parse_args(arguments)
    if not options.listen and not options.listen_fd:
        parser.error("nothing to listen on: give --listen or --listen-fd")
    return options


def _tls(config: ApiConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.certificate, config.key)
    return context


def _sockets(options: argparse.Namespace) -> list[socket.socket]:
    found = [socket.socket(fileno=number) for number in options.listen_fd]
    for address in options.listen:
        host, _, port = address.rpartition(":")
        found.append(socket.create_server((host, int(port)), backlog=512))
    return found


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST)


async def serve(options: argparse.Namespace, config: ApiConfig) -> None:
    """Serve until SIGTERM or SIGINT."""
    server = ApiServer(config)
    bootstrap.populate(server, options.listen, config.service_network)
    handler = web.Server(
        server.handle,
        request_factory=_request,
        handler_cancellation=True,
        access_log=None,
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
    )
    runner = web.ServerRunner(
        handler,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    context = _tls(config)
    for listener in _sockets(options):
        await web.SockSite(runner, listener, ssl_context=context).start()
    if options.ready_fd is not None:
        os.write(options.ready_fd, b"ready\n")
        os.close(options.ready_fd)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.proxy.close()
    await runner.cleanup()


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after a signal, 4 where the options or api.json are wrong."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        config = load(options.state_dir)
        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(serve(options, config))
    except (ConfigError, OSError, ssl.SSLError) as error:
        print(f"embedded.api: {error}", file=sys.stderr)
        return _WRONG_USE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
