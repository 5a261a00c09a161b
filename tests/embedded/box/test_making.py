"""Whoever makes images can be killed: nothing runs on, and the next one is not hindered."""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.embedded.box.modes import Mode
from tests.embedded.box.platform_process import SECONDS, processes_of, wait_gone

# Like mmdebstrap it has children, one of which leaves its session; all write, and heed no signal.
SLOW = """#!/bin/sh
if test "$QUICK"; then echo first words; echo last words; exit 7; fi
trap '' TERM INT HUP
for root; do :; done
mktemp -d --tmpdir mmdebstrap.XXXXXX >/dev/null
cat >"$root/child" <<'END'
trap '' TERM INT HUP
while test "$n" != 9999 && n=$((n + 1)); do mkdir -p "$1/share/$$-$n"; sleep 0.01; done
END
sh "$root/child" "$root" &
setsid sh "$root/child" "$root" </dev/null >/dev/null 2>&1 &
echo busy >"$STARTED"
wait
"""


@dataclass(frozen=True)
class Maker:
    """A platform whose cache is empty, and whose mmdebstrap never ends."""

    mode: Mode
    directory: Path

    @property
    def cache(self) -> Path:
        return self.directory / "cache"

    @property
    def aside(self) -> list[Path]:
        """Return the directories that are being made, or were left."""
        return list(self.cache.rglob("*.building"))

    def arguments(self, *arguments: str) -> list[str]:
        return ["-m", "tests.embedded.box.fresh_cache", str(self.cache), *arguments]

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.directory / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "STARTED": str(self.directory / "started")}

    def interrupt(self, number: signal.Signals, *arguments: str) -> int:
        """Signal it while it makes an image; returns its exit code."""
        started = os.open(self.directory / "started", os.O_RDONLY | os.O_NONBLOCK)
        with self.mode.popen(self.arguments(*arguments), self.env) as process:
            try:
                assert select.select([started], [], [], SECONDS)[0], "mmdebstrap does not start"
                process.send_signal(number)
                return process.wait(timeout=SECONDS)
            finally:
                os.close(started)
                process.kill()


@pytest.fixture
def maker(mode: Mode) -> Iterator[Maker]:
    directory = Path(tempfile.mkdtemp(dir=mode.temporary))
    program = directory / "bin" / "mmdebstrap"
    for path in (program.parent, directory / "cache"):
        path.mkdir()
    os.mkfifo(directory / "started")
    program.write_text(SLOW)
    directory.chmod(0o755)
    program.chmod(0o755)
    (directory / "started").chmod(0o666)
    if mode.home is not None:
        os.chown(directory / "cache", mode.home.stat().st_uid, -1)
    yield Maker(mode, directory)
    shutil.rmtree(directory)


def assert_next_is_not_hindered(maker: Maker) -> None:
    """A failure has a reason of its own, said in one line; nothing lies aside."""
    done = maker.mode.run(maker.arguments("up", "--json"), maker.env | {"QUICK": "1"})
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("images: tools: mmdebstrap: code 7: first words / last words")
    assert done.stderr.count("\n") == 1
    assert maker.aside == []


@pytest.mark.parametrize("command", [("up", "--json"), ("images",)], ids=["up", "images"])
def test_nothing_of_a_killed_one_runs_on(maker: Maker, command: tuple[str, ...]) -> None:
    """The next one begins at once, and clears what is left; no temporary directory is left."""
    before = set(maker.mode.temporary.glob("mmdebstrap*"))
    assert maker.interrupt(signal.SIGKILL, *command) == -signal.SIGKILL
    running = processes_of(maker.directory)
    assert_next_is_not_hindered(maker)
    wait_gone(running)
    assert processes_of(maker.directory) == []
    assert set(maker.mode.temporary.glob("mmdebstrap*")) == before


@pytest.mark.parametrize("command", [("up", "--json"), ("images",)], ids=["up", "images"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_is_told_to_end_clears_up(
    maker: Maker, command: tuple[str, ...], number: signal.Signals
) -> None:
    assert maker.interrupt(number, *command) == 2
    assert processes_of(maker.directory) == []
    assert maker.aside == []
    assert_next_is_not_hindered(maker)
