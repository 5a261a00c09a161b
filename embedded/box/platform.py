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
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from embedded.box import commands, namespaces, steps
from embedded.box.components import Component
from embedded.box.errors import BoxUnavailableError
from embedded.box.run_directory import RunDirectory
from embedded.box.specification import Specification
from embedded.images import store
from embedded.images.model import Image, ImageRule
from embedded.runtime.client import SpawnerClient
from embedded.runtime.model import Streams
from embedded.runtime.pipes import OutputPipe

_Result = TypeVar("_Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Platform:
    """A platform in a box that exists; `tools` is the image of the programs that its node runs."""

    def __init__(
        self,
        specification: Specification,
        images: tuple[ImageRule, ...],
        tools: Image,
        run_directory: RunDirectory,
        box: namespaces.Box,
        log: int,
    ) -> None:
        self._specification = specification
        self._images = images
        self._tools = tools
        self._run_directory = run_directory
        self._box = box
        self._log = log

    def run(self) -> None:
        """Come up, and stay until told to end.

        Raises BoxUnavailableError, ComponentError, BoxError, OSError.
        """
        asyncio.run(self._run())

    async def _run(self) -> None:
        # Only now, for it takes longer than making the box; the components load meanwhile.
        from embedded.box.control_plane import ControlPlaneBuilder

        stop = self._stop_on_signals()
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        spawner = SpawnerClient(self._box.connection)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        builder = ControlPlaneBuilder(
            spawner,
            self._run_directory,
            listener,
            self._images,
            self._tools,
            self._specification.node,
            self._specification.node_lease_seconds,
        )
        began = time.monotonic()
        try:
            await builder.load()
            await _try_container(spawner)
            control_plane = await _unless(builder.run(url), stop, builder.components)
            if control_plane is not None:
                # The keeper first: whoever reads the announcement may end the platform at once.
                self._run_directory.keeper.tell_up()
                self._announce(control_plane.kubeconfig, url, time.monotonic() - began)
                await _unless(self._serve(spawner, stop), stop, builder.components)
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
            await commands.serve(commands.Recorder(spawner, self._log))
        else:
            await stop.wait()

    def _announce(self, kubeconfig: Path, url: str, seconds: float) -> None:
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
        announcement: dict[str, Any] = {
            "kubeconfig": str(kubeconfig),
            "bundle": bundle,
            "log_dir": str(self._run_directory.logs),
            "images": [_row(rule) for rule in self._images],
            "seconds": round(seconds, 2),
            "versions": {"linux": os.uname().release} | store.versions(self._images),
        }
        print(json.dumps(announcement), flush=True)

    def _bundle(self) -> str | None:
        render = self._specification.bundle
        return None if render is None else str(self._run_directory.write("bundle.yaml", render()))


async def _try_container(spawner: SpawnerClient) -> None:
    """See that containers can be made, where a box can. Raises BoxUnavailableError."""
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/"]
    with OutputPipe() as complaints:
        process = await spawner.spawn(
            [*command, "--proc", "/proc", "true"], streams=Streams(stderr=complaints.writer)
        )
        complaints.close_writer()
        reason = (await complaints.collect()).decode(errors="replace").strip()
        if (await process.wait()).code != 0:
            raise BoxUnavailableError(steps.refusal(steps.CONTAINER, reason))


def _row(rule: ImageRule) -> dict[str, str]:
    image = rule.image
    return {
        "reference": rule.pattern,
        "recipe": image.recipe,
        "suite": image.release,
        "digest": image.digest,
    }


async def _unless(
    work: Coroutine[Any, Any, _Result],
    stop: asyncio.Event,
    components: Sequence[Component],
) -> _Result | None:
    """Return what `work` returns, or None when told to stop first.

    Raises ComponentError when a component ends first, BoxError when the box does.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    failures = [asyncio.ensure_future(component.failure()) for component in components]
    everything: list[asyncio.Future[Any]] = [working, stopping, *failures]
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        for failure in failures:
            if failure.done():
                raise failure.result()
        return working.result() if working.done() else None
    finally:
        for future in everything:
            future.cancel()
        await asyncio.gather(*everything, return_exceptions=True)
