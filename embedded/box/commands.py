"""Commands to a running launcher: lines of JSON on its standard input."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from embedded.box.capture import MOST_ADDRESSES
from embedded.box.components import python_environment
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.links import BRIDGE
from embedded.runtime.model import BoxError, Streams
from embedded.runtime.pipes import OutputPipe

_SECONDS = 60.0
_READY = 3


class CommandError(Exception):
    """A command cannot be followed; the text says why."""


class Recorder:
    """At most one recording of the box's bridge at a time."""

    def __init__(self, spawner: SpawnerClient, log: int) -> None:
        self._spawner = spawner
        self._log = log
        self._running: Process | None = None

    async def start(self, file: Path, addresses: Sequence[IPv4Address]) -> None:
        """Record into `file` from now on: everything, or only what addresses send and get.

        Raises CommandError, OSError, BoxError.
        """
        if self._running is not None:
            raise CommandError("a capture is running already")
        if len(addresses) > MOST_ADDRESSES:
            raise CommandError(f"at most {MOST_ADDRESSES} addresses can be given")
        out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            self._running = await self._capture(out, addresses)
        finally:
            os.close(out)

    async def _capture(self, out: int, addresses: Sequence[IPv4Address]) -> Process:
        """Start the program, and return once nothing can be missed any more."""
        with OutputPipe() as ready:
            process = await self._spawner.spawn(
                [sys.executable, "-m", "embedded.box.capture", BRIDGE, *map(str, addresses)],
                env=python_environment(),
                streams=Streams(stdout=out, stderr=self._log),
                more={_READY: ready.writer},
            )
            ready.close_writer()
            try:
                async with asyncio.timeout(_SECONDS):
                    started = await ready.collect()
            except BaseException:
                process.signal(signal.SIGKILL)
                raise
        if not started:
            raise CommandError("the capture does not start, see box.log")
        return process

    async def stop(self) -> None:
        """End the recording; the file is then whole. Raises CommandError, TimeoutError."""
        process, self._running = self._running, None
        if process is None:
            raise CommandError("no capture is running")
        process.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_SECONDS):
                status = await process.wait()
        except BaseException:
            process.signal(signal.SIGKILL)
            raise
        if status.code != 0:
            raise CommandError("the capture is not whole: frames were dropped, see box.log")


async def serve(recorder: Recorder) -> None:
    """Take commands from standard input, and answer each on standard output, until its end."""
    lines = _input_lines()
    while (line := await lines.get()) is not None:
        print(json.dumps(await _answer(recorder, line)), flush=True)


async def _answer(recorder: Recorder, line: bytes) -> dict[str, Any]:
    try:
        command = json.loads(line)
        match command["do"]:
            case "capture-start":
                addresses = [IPv4Address(text) for text in command.get("addresses", ())]
                await recorder.start(Path(command["file"]), addresses)
            case "capture-stop":
                await recorder.stop()
            case other:
                return {"ok": False, "error": f"unknown command {other!r}"}
    except (ValueError, KeyError, TypeError) as error:
        return {"ok": False, "error": f"malformed command: {error!r}"}
    except (CommandError, BoxError, OSError) as error:
        return {"ok": False, "error": str(error) or type(error).__name__}
    return {"ok": True}


def _input_lines() -> asyncio.Queue[bytes | None]:
    """Read lines in a thread, for standard input may be what an event loop cannot watch."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        # The loop may be closed while this waits: the launcher ends without its input's end.
        with suppress(RuntimeError):
            rest = b""
            while chunk := os.read(0, 65536):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="input", daemon=True).start()
    return lines
