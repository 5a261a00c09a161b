"""A platform in a box, from the start of its parts to its end.

Apart from the launcher, for this needs asyncio, which takes longer to load than the box to make:
where none is to be had, that is said at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from embedded.box import commands, steps, world
from embedded.box.errors import BoxUnavailableError
from embedded.box.outside import Outside
from embedded.box.parts import Part
from embedded.box.specification import Specification
from embedded.images import store
from embedded.images.model import Image, ImageRule
from embedded.runtime.client import SpawnerClient
from embedded.runtime.model import Streams
from embedded.runtime.pipes import Intake

_Result = TypeVar("_Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Platform:
    """A platform in a box that exists; `tools` is the image of the programs that its node runs."""

    def __init__(
        self,
        specification: Specification,
        images: tuple[ImageRule, ...],
        tools: Image,
        outside: Outside,
        box: world.Box,
        log: int,
    ) -> None:
        self._specification = specification
        self._images = images
        self._tools = tools
        self._outside = outside
        self._box = box
        self._log = log

    def run(self) -> None:
        """Come up, and stay until told to end.

        Raises BoxUnavailableError, PartError, BoxError, OSError.
        """
        asyncio.run(self._run())

    async def _run(self) -> None:
        # Only now, for it takes longer than making the box; the parts load meanwhile.
        from embedded.box.plane import PlaneBuilder

        stop = self._stop_on_signals()
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        spawner = SpawnerClient(self._box.connection)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        builder = PlaneBuilder(
            spawner, self._outside, listener, self._images, self._tools, self._specification.node
        )
        try:
            await builder.load()
            await _try_container(spawner)
            plane = await _unless(builder.run(url), stop, builder.parts)
            if plane is not None:
                self._announce(plane.kubeconfig, url)
                await _unless(self._serve(spawner, stop), stop, builder.parts)
        finally:
            await spawner.close()
            # What still waits for the platform must see it gone.
            self._box.kill()

    def _stop_on_signals(self) -> asyncio.Event:
        stop = asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return stop

    async def _serve(self, spawner: SpawnerClient, stop: asyncio.Event) -> None:
        if self._specification.speak_json:
            await commands.follow(commands.Recorder(spawner, self._log))
        else:
            await stop.wait()

    def _announce(self, kubeconfig: Path, url: str) -> None:
        bundle = self._bundle()
        if not self._specification.speak_json:
            # All to one stream: tox copies two in any order.
            print(f"Kubernetes at {url} until Ctrl-C. Use it with:")
            print(f"export KUBECONFIG={shlex.quote(str(kubeconfig))}")
            if bundle is not None:
                print("It has no operator yet. Install that of the bundle with:")
                print(f"kubectl apply --server-side -f {shlex.quote(bundle)}")
            sys.stdout.flush()
            return
        said: dict[str, Any] = {
            "kubeconfig": str(kubeconfig),
            "bundle": bundle,
            "log_dir": str(self._outside.logs),
            "images": [_row(rule) for rule in self._images],
            "versions": {"linux": os.uname().release} | store.versions(self._images),
        }
        print(json.dumps(said), flush=True)

    def _bundle(self) -> str | None:
        render = self._specification.bundle
        return None if render is None else str(self._outside.write("bundle.yaml", render()))


async def _try_container(spawner: SpawnerClient) -> None:
    """See that containers can be made, where a box can. Raises BoxUnavailableError."""
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/"]
    with Intake() as complaints:
        process = await spawner.spawn(
            [*command, "--proc", "/proc", "true"], streams=Streams(stderr=complaints.writer)
        )
        complaints.given()
        said = (await complaints.collect()).decode(errors="replace").strip()
        if (await process.wait()).code != 0:
            raise BoxUnavailableError(steps.refusal(steps.CONTAINER, said))


def _row(rule: ImageRule) -> dict[str, str]:
    image = rule.image
    return {
        "reference": rule.pattern,
        "recipe": image.recipe,
        "suite": image.release,
        "digest": image.digest,
    }


async def _unless(
    work: Coroutine[Any, Any, _Result], stop: asyncio.Event, parts: Sequence[Part]
) -> _Result | None:
    """Return what `work` returns, or None when told to stop first.

    Raises PartError when a part ends first, BoxError when the box does.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    dying = [asyncio.ensure_future(part.death()) for part in parts]
    everything: list[asyncio.Future[Any]] = [working, stopping, *dying]
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        for death in dying:
            if death.done():
                raise death.result()
        return working.result() if working.done() else None
    finally:
        for future in everything:
            future.cancel()
        await asyncio.gather(*everything, return_exceptions=True)
