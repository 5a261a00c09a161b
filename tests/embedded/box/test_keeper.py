"""A platform ends with who started it, at whatever moment that is killed."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.embedded.announced import announced
from tests.embedded.box.modes import Mode
from tests.embedded.box.platform_process import SECONDS, descendants, processes_of, wait_gone
from tests.embedded.box.test_making import Maker, maker

__all__ = ["maker"]

ROOT = Path(__file__).parents[3]

# The first argument is a file for the launcher's pid, the second one says how to keep its input.
STARTER = """
import os, subprocess, sys
pid_file, how, *command = sys.argv[1:]
reads, writes = os.pipe()
options = ["--starter", str(os.getpid())] if how != "input" else []
options += ["--outlive-starter"] if how == "outlive" else []
launcher = subprocess.Popen(
    [sys.executable, *command, *options], stdin=reads, start_new_session=True,
    pass_fds=[writes] if how != "input" else [],
)
os.close(reads)
with open(pid_file, "w") as out:
    print(launcher.pid, file=out)
launcher.wait()
"""


@dataclass(frozen=True)
class Started:
    """A launcher, and the process that started it."""

    starter: subprocess.Popen[str]
    launcher: int
    directory: Path

    def wait_until_there(self, name: str) -> None:
        """Wait until a file of the logs is there: each part has one, made just before it."""
        wait_for((self.directory / "logs" / f"{name}.log").exists)

    def wait_until_up(self) -> Path:
        """Return the kubeconfig."""
        assert self.starter.stdout
        return Path(announced(self.starter.stdout)["kubeconfig"])

    def assert_all_ends(self) -> None:
        """See that everything goes that was started, and the directory with it."""
        wait_gone([self.launcher, *descendants(self.launcher)])
        # While the platform comes up, one or the other may be only just beginning.
        while running := processes_of(self.directory):
            wait_gone(running)
        assert list(self.directory.glob("pg-tls-embedded-*")) == []


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for what nothing tells of."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        select.select([], [], [], 0.002)


@contextmanager
def started(
    mode: Mode, directory: Path, how: str, command: Sequence[str], env: Mapping[str, str] = {}
) -> Iterator[Started]:
    """Start a launcher by way of a starter, with its temporary directory in `directory`."""
    if mode.home is not None:
        os.chown(directory, mode.home.stat().st_uid, -1)
    told = directory / "pid"
    os.mkfifo(told)
    told.chmod(0o666)
    arguments = ["-c", STARTER, str(told), how, *command, "--log-dir", str(directory / "logs")]
    with mode.popen(arguments, {"TMPDIR": str(directory), **env}) as process:
        launcher = int(told.read_text())
        pids = [process.pid, launcher]
        try:
            yield Started(process, launcher, directory)
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def directory(mode: Mode) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(dir=mode.temporary))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


UP = ("-m", "embedded", "up", "--json")
HOW = ("input", "outlive")
MOMENTS = ("box", "api", "node")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_with_its_starter_while_it_comes_up(
    mode: Mode, directory: Path, how: str, moment: str
) -> None:
    """While the box is made, and while the parts load: whoever is to outlive it does so later."""
    with started(mode, directory, how, UP) as found:
        found.wait_until_there(moment)
        found.starter.kill()
        found.assert_all_ends()


@pytest.mark.parametrize("how", HOW)
def test_it_ends_with_its_starter_while_images_are_made(maker: Maker, how: str) -> None:
    """With all that mmdebstrap has started."""
    busy = os.open(maker.directory / "started", os.O_RDONLY | os.O_NONBLOCK)
    command = maker.arguments("up", "--json")
    with started(maker.mode, maker.directory, how, command, maker.env) as found:
        assert select.select([busy], [], [], SECONDS)[0], "mmdebstrap does not start"
        os.close(busy)
        found.starter.kill()
        found.assert_all_ends()
    assert maker.aside == []


@pytest.mark.parametrize("how", ["starter", "input"])
def test_it_ends_with_its_starter_once_it_is_up(mode: Mode, directory: Path, how: str) -> None:
    with started(mode, directory, how, UP) as found:
        found.wait_until_up()
        found.starter.kill()
        found.assert_all_ends()


def test_it_outlives_its_starter_where_it_is_told_to(mode: Mode, directory: Path) -> None:
    """Once it is up; then whoever has its pid ends it."""
    with started(mode, directory, "outlive", UP) as found:
        kubeconfig = found.wait_until_up()
        found.starter.kill()
        found.starter.wait(SECONDS)
        assert kubeconfig.exists()
        assert processes_of(directory)
        os.kill(found.launcher, signal.SIGTERM)
        found.assert_all_ends()


# The keeper is stopped while its launcher comes up and loses its input, so it sees both at once.
LATE_KEEPER = """
import os, signal, sys
from pathlib import Path
from embedded.box.keeper import Keeper, Lifetime

reads, writes = os.pipe()
os.dup2(reads, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
keeper = Keeper(Path(sys.argv[1]), Lifetime(by_input=True))
os.kill(keeper.pid, signal.SIGSTOP)
os.waitpid(keeper.pid, os.WUNTRACED)
keeper.tell_up()
os.close(writes)
os.kill(keeper.pid, signal.SIGCONT)
told = signal.sigtimedwait({signal.SIGTERM}, 1)
keeper.end()
print("left alone" if told is None else "told to end")
"""


def test_the_end_of_the_input_is_the_launchers_own_matter_once_it_is_up(tmp_path: Path) -> None:
    """Also where the keeper hears of both at once: the launcher ends by itself then, with 0."""
    done = subprocess.run(
        [sys.executable, "-c", LATE_KEEPER, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("left alone\n", "")


def test_a_starter_that_is_not_the_parent_is_refused(mode: Mode) -> None:
    """It has ended: with its parent gone, a process gets another."""
    done = mode.run([*UP, "--starter", "1"])
    assert done.returncode == 4
    assert done.stderr == "--starter 1: it has ended, or is not our parent\n"
