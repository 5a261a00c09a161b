"""Run a scene in a box of its own: `python -m tests.embedded.box.scene MODULE FUNCTION ARGUMENT…`.

The function, a coroutine, gets a `Stage`, and the arguments; what it returns is printed as JSON.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from embedded.box import namespaces
from embedded.box.trees import REPOSITORY, Tree, interpreter_trees
from embedded.images.model import Image, ImageConfig
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.model import Completed, ProcessSpec, Root, Sandbox, Streams
from embedded.runtime.pipes import OutputPipe
from embedded.runtime.runtime import Runtime
from tests.embedded.image_table import first

_INSIDE = "--inside"
_SECONDS = 90


@dataclass(frozen=True)
class Stage:
    """A runtime inside a box, and shortcuts for what most scenes do."""

    runtime: Runtime
    image: Image

    async def sandbox(self, number: int = 2) -> Sandbox:
        """Make a sandbox with the address 10.244.0.`number`."""
        return await self.runtime.create_sandbox(f"pod-{number}", f"10.244.0.{number}")

    def spec(self, sandbox: Sandbox, root: Root, argv: Sequence[str], **fields: Any) -> ProcessSpec:
        """Describe a container of the image, as its user unless told otherwise."""
        config = self.image.config
        given: dict[str, Any] = {"env": config.env, "uid": config.uid, "gid": config.gid}
        return ProcessSpec(sandbox=sandbox, root=root, argv=tuple(argv), **(given | fields))

    async def container(self, sandbox: Sandbox, *argv: str, **fields: Any) -> Process:
        """Start a container on a root of its own."""
        root = await self.runtime.mount_root(self.image)
        return await self.runtime.start(self.spec(sandbox, root, argv, **fields))

    async def sleeper(self, sandbox: Sandbox, **fields: Any) -> Process:
        """Start a container that only waits."""
        return await self.container(sandbox, "sleep", "1000", **fields)

    async def output(self, sandbox: Sandbox, *argv: str, **fields: Any) -> Completed:
        """Run a container to its end; what it says comes together in `stdout`."""
        with OutputPipe() as out:
            streams = Streams(stdout=out.writer, stderr=out.writer)
            process = await self.container(sandbox, *argv, streams=streams, **fields)
            out.close_writer()
            said = await out.collect()
        return Completed(status=await process.wait(), stdout=said, stderr=b"")

    async def execute(
        self, process: Process, *argv: str, env: Mapping[str, str] | None = None, **options: Any
    ) -> Completed:
        """Run a program in a running container to its end."""
        with OutputPipe() as out:
            executed = await self.runtime.exec(
                process,
                argv,
                env=env or self.image.config.env,
                streams=Streams(stdout=out.writer, stderr=out.writer),
                **options,
            )
            out.close_writer()
            said = await out.collect()
        return Completed(status=await executed.wait(), stdout=said, stderr=b"")


def main() -> int:
    """Play the scene that the command line names."""
    if sys.argv[1] == _INSIDE:
        print(json.dumps(asyncio.run(_play(*sys.argv[2:])), default=_plain))
        return 0
    return _with_box(sys.argv[1:])


def _with_box(arguments: Sequence[str]) -> int:
    image = first()
    trees = [*interpreter_trees(), *(Tree(path=layer) for layer in image.layers)]
    box = namespaces.create(trees, log=2)
    try:
        text = json.dumps(asdict(image), default=str)
        return asyncio.run(_enter(box, [_INSIDE, text, *arguments]))
    finally:
        box.end()


async def _enter(box: namespaces.Box, arguments: Sequence[str]) -> int:
    spawner = SpawnerClient(box.connection)
    env = dict(os.environ) | {"PYTHONPATH": str(REPOSITORY)}
    process = await spawner.spawn(
        [sys.executable, "-m", "tests.embedded.box.scene", *arguments],
        env=env,
        streams=Streams(stdout=1, stderr=2),
    )
    try:
        async with asyncio.timeout(_SECONDS):
            return (await process.wait()).code
    finally:
        await spawner.close()


async def _play(image: str, module: str, function: str, *arguments: str) -> Any:
    runtime = await Runtime.connect_to(namespaces.SPAWNER, namespaces.STATE)
    scene: Callable[..., Awaitable[Any]] = getattr(importlib.import_module(module), function)
    return await scene(Stage(runtime, _image(json.loads(image))), *arguments)


def _image(data: dict[str, Any]) -> Image:
    layers = tuple(Path(layer) for layer in data["layers"])
    return Image(**(data | {"layers": layers, "config": ImageConfig(**data["config"])}))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    sys.exit(main())
