"""The launcher, as its users see it: what it says, what it takes, how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.embedded.box.modes import Mode
from tests.embedded.box.platform_process import (
    SECONDS,
    Up,
    brought_up,
    command_line,
    wait_gone,
)
from tests.embedded.image_table import OPTIONS

BUNDLE = "kind: Namespace\napiVersion: v1\nmetadata: {name: operators}\n"


@pytest.fixture(scope="module")
def up(mode: Mode, file_directory: Path) -> Iterator[Up]:
    bundle = file_directory / "bundle.yaml"
    bundle.write_text(BUNDLE)
    bundle.chmod(0o644)
    with brought_up(mode, *OPTIONS, "--bundle", str(bundle)) as platform:
        yield platform


@pytest.fixture(scope="module")
def file_directory(mode: Mode) -> Iterator[Path]:
    """A directory whose files every mode can read."""
    directory = Path(tempfile.mkdtemp(dir=mode.temporary))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def test_it_says_what_is_up(up: Up) -> None:
    """The announcement has the API's address, the bundle, and the table of images."""
    assert up.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert Path(up.said["bundle"]).read_text() == BUNDLE
    assert Path(up.said["log_dir"]).is_dir()
    rows = {row["reference"]: row for row in up.said["images"]}
    assert rows["example/second"]["recipe"] == "test"
    assert rows["example/second"]["digest"].startswith("sha256:")
    assert "OpenSSL" in up.said["versions"]["openssl"]


def test_its_api_and_node_are_ready(up: Up) -> None:
    """At once, with the token of the kubeconfig, and with no other."""
    node = up.get("/api/v1/nodes")["items"][0]
    conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    with pytest.raises(HTTPError) as refused:
        up.get("/api/v1/nodes", token="guessed")
    assert refused.value.code == 401


def test_malformed_commands_are_answered(up: Up) -> None:
    """And hurt nothing."""
    assert up.ask(do="fly") == {"ok": False, "error": "unknown command 'fly'"}
    assert "malformed" in up.ask(nothing="")["error"]
    assert up.ask(do="capture-stop") == {"ok": False, "error": "no capture is running"}
    nowhere = up.ask(do="capture-start", file="/no/such/directory/x.pcap")
    assert "No such file" in nowhere["error"]
    assert "'nobody'" in up.ask(do="capture-start", file="/dev/null", addresses=["nobody"])["error"]
    many = [f"10.244.1.{number}" for number in range(101)]
    assert "at most" in up.ask(do="capture-start", file="/dev/null", addresses=many)["error"]


def test_a_capture_holds_what_crossed_the_bridge(up: Up, mode: Mode) -> None:
    """Whole frames, in a pcap file of the user's own."""
    file = mode.temporary / f"pg-tls-capture-{os.getpid()}.pcap"
    assert up.ask(do="capture-start", file=str(file)) == {"ok": True}
    assert "running already" in up.ask(do="capture-start", file=str(file))["error"]
    assert up.ask(do="capture-stop") == {"ok": True}
    magic, major = struct.unpack_from("=IH", file.read_bytes())
    file.unlink()
    assert (magic, major) == (0xA1B23C4D, 2)


@pytest.mark.parametrize("end", ["end of input", "SIGTERM", "SIGINT"])
def test_it_ends_when_told(mode: Mode, end: str) -> None:
    """With exit code 0, and nothing of it left."""
    with brought_up(mode) as platform:
        world, directory = platform.world, platform.kubeconfig.parent
        if end != "end of input":
            platform.process.send_signal(getattr(signal, end))
        _, complaints = platform.process.communicate(timeout=SECONDS)
        assert platform.process.returncode == 0, complaints
    assert complaints == ""
    assert world.inhabitants() == []
    assert not directory.exists()


@pytest.mark.parametrize("part", ["api", "controllers", "node"])
def test_a_part_that_dies_ends_it(mode: Mode, part: str, log_directory: Path) -> None:
    """The launcher says which, with exit code 1; the logs that were asked for stay."""
    with brought_up(mode, "--log-dir", str(log_directory)) as platform:
        world, directory = platform.world, platform.kubeconfig.parent
        os.kill(world.named(f"embedded.{part} "), signal.SIGKILL)
        # Its input goes on: that is another reason to end.
        platform.process.wait(timeout=SECONDS)
        _, complaints = platform.process.communicate(timeout=SECONDS)
    assert platform.process.returncode == 1
    assert complaints.splitlines()[-1].startswith(f"embedded: {part} ended with code 137")
    assert world.inhabitants() == []
    assert not directory.exists()
    assert (log_directory / f"{part}.log").exists()


@pytest.fixture
def log_directory(mode: Mode) -> Iterator[Path]:
    """A directory that the mode may write, under a path that others cannot enter."""
    directory = Path(tempfile.mkdtemp(dir=mode.temporary))
    if mode.home is not None:
        os.chown(directory, mode.home.stat().st_uid, -1)
    yield directory / "made" / "logs"
    shutil.rmtree(directory)


@pytest.mark.parametrize("victim", ["launcher", "outer", "init"])
def test_whatever_is_killed_nothing_stays(mode: Mode, victim: str) -> None:
    """No process, and with the last of them no namespace, mount or link; no directory."""
    mounts = Path("/proc/self/mountinfo").read_text()
    with brought_up(mode) as platform:
        world, keeper = platform.world, platform.keeper
        directory = platform.kubeconfig.parent
        pids = {"launcher": platform.process.pid, "outer": world.outer, "init": world.init}
        os.kill(pids[victim], signal.SIGKILL)
        platform.process.wait(timeout=SECONDS)
        wait_gone([*world.inside, world.outer, keeper])
    assert len(world.inside) >= 4, [command_line(pid) for pid in world.inside]
    assert platform.process.returncode == (-signal.SIGKILL if victim == "launcher" else 1)
    assert world.inhabitants() == []
    assert not directory.exists()
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_without_images_it_comes_up_all_the_same(mode: Mode) -> None:
    """Then it has none, and nothing to install."""
    with brought_up(mode) as platform:
        assert platform.get("/api/v1/nodes")["items"]
        assert (platform.said["images"], platform.said["bundle"]) == ([], None)


@pytest.mark.parametrize("option", ["--images", "--bundle"])
def test_a_file_that_is_not_there_is_refused(mode: Mode, option: str) -> None:
    """In one line, before anything is started."""
    done = mode.run(["-m", "embedded", "up", option, "/no/such.yaml"])
    assert done.returncode == 4
    assert done.stderr.startswith(f"{option} /no/such.yaml: cannot be read: No such file")
    assert done.stderr.count("\n") == 1


def test_a_log_directory_that_cannot_be_made_is_refused(mode: Mode) -> None:
    """In one line that names the option."""
    done = mode.run(["-m", "embedded", "up", "--log-dir", "/proc/no/such"])
    assert done.returncode == 4
    assert done.stderr.startswith("--log-dir /proc/no/such: cannot be written")
    assert done.stderr.count("\n") == 1


def test_without_json_it_speaks_to_a_person(mode: Mode, file_directory: Path) -> None:
    """Lines to paste, with what each is for; and it stays when its input ends, until Ctrl-C."""
    bundle = file_directory / "bundle.yaml"
    bundle.write_text(BUNDLE)
    arguments = ["-m", "embedded", "up", "--bundle", str(bundle)]
    with mode.popen(arguments, stdin=subprocess.DEVNULL) as process:
        assert process.stdout
        said = [process.stdout.readline().strip() for _ in range(4)]
        assert said[0].startswith("Kubernetes at https://127.0.0.1:")
        kubeconfig = Path(said[1].removeprefix("export KUBECONFIG="))
        assert json.loads(kubeconfig.read_text())["current-context"] == "embedded"
        assert "no operator yet" in said[2]
        copy = Path(said[3].removeprefix("kubectl apply --server-side -f "))
        assert copy.read_text() == BUNDLE
        process.send_signal(signal.SIGINT)
        more = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert more == ("", "")


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's home is closed to the box")


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory in root's home, where the box's uid cannot go."""
    made = Path(tempfile.mkdtemp(prefix=".pg-tls-", dir=Path.home()))
    yield made
    shutil.rmtree(made)


def clone(directory: Path, venv: Path) -> list[str]:
    """Put repository and virtual environment there; returns the command that comes up and ends."""
    here = Path(__file__).parents[3]
    # Others may compile meanwhile.
    unfinished = shutil.ignore_patterns("*.pyc.*")
    shutil.copytree(here / "embedded", directory / "embedded", ignore=unfinished)
    shutil.copytree(sys.prefix, venv, symlinks=True, ignore=unfinished, copy_function=os.link)
    return [str(venv / "bin" / Path(sys.executable).name), "-m", "embedded", "up", "--json"]


def come_up(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    options: dict[str, Any] = {"cwd": directory, "input": "", "timeout": SECONDS, "text": True}
    return subprocess.run(command, capture_output=True, check=False, **options)


@only_root
def test_it_runs_from_a_clone_in_roots_home(home: Path) -> None:
    """Clone and virtual environment both where the box's uid cannot go."""
    home.chmod(0o755)
    command = clone(home, home / "venv")
    done = come_up(command, home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kubeconfig"]
    home.chmod(0o700)
    done = come_up(command, home)
    assert done.returncode == 4
    assert f"chmod -R o+rX {home}" in done.stderr


@only_root
def test_it_runs_where_one_closed_directory_lies_in_another(home: Path) -> None:
    """As with tox, which closes the directory that it makes within the clone for its environments.

    To open the topmost is not enough: the clone is put back with what is closed in it.
    """
    closed = [home, home / "clone" / ".tox", home / "clone" / ".tox" / "environments"]
    closed[-1].mkdir(parents=True)
    for directory in closed:
        directory.chmod(0o700)
    command = clone(home / "clone", closed[-1] / "conformance")
    done = come_up(command, home / "clone")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kubeconfig"]
    assert {directory.stat().st_mode & 0o777 for directory in closed} == {0o700}
