"""Shell scripts in an image, without a platform."""

from __future__ import annotations

import os
import subprocess

from embedded.images import builder
from embedded.images.model import Image
from embedded.images.owners import BOX_UID
from reference.images import operator


def run(image: Image, script: str, stdin: int | None = None) -> str:
    """Run a shell script in a copy-free look at the image: only /tmp can be written.

    What it has as standard input it may use for its output, too.
    """
    root = image.layers[-1]
    command = builder.inside(root, ["bash", "-c", script], uid=image.config.uid)
    command[command.index("--bind")] = "--ro-bind"
    at = command.index("--")
    for name, value in image.config.env.items():
        command[at:at] = ["--setenv", name, value]
    for layer in image.layers[:-1]:
        source = layer / operator.CODE[1:]
        command[at:at] = ["--ro-bind", str(source), operator.CODE]
    # Root's image belongs to the box's uid, as which alone it can be read in full.
    user = BOX_UID if os.geteuid() == 0 else None
    done = subprocess.run(
        command,
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        user=user,
        group=user,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
