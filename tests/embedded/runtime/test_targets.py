"""A volume comes to lie within its container, whatever its target says."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embedded.runtime.model import Bind, BoxError
from embedded.runtime.targets import within
from tests.embedded.box.modes import Mode
from tests.embedded.box.playing import play
from tests.embedded.box.scene import Stage

LINKS = {
    "var/run": "/run",
    "relative": "../../usr",
    "far": "/oldroot/tmp",
    "twice": "/var/run/deep",
    "circle": "/circle",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, target in LINKS.items():
        link = tmp_path / "root" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    return tmp_path / "root"


def found(root: Path, *targets: str, source: Path = Path("/nowhere")) -> list[str]:
    binds = [Bind(source=source, target=target) for target in targets]
    return [target for _, target in within(root, binds)]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/plain/path", "/plain/path"),
        ("no/slash", "/no/slash"),
        ("//two//slashes/", "/two/slashes"),
        ("/../../oldroot/tmp/x", "/oldroot/tmp/x"),
        ("/a/../../../b", "/b"),
        ("/var/run/secrets", "/run/secrets"),
        ("/relative/share", "/usr/share"),
        ("/far/x", "/oldroot/tmp/x"),
        ("/twice/../up", "/run/up"),
    ],
)
def test_a_target_is_taken_as_from_inside(root: Path, target: str, path: str) -> None:
    """Up ends at the container's root, and its links begin there."""
    assert found(root, target) == [path]


def test_a_link_in_a_volume_is_followed_too(root: Path, tmp_path: Path) -> None:
    """Of those that lie over one another, the last is seen."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "link").symlink_to("/oldroot")
    assert found(root, "/v", "/v/link/x", source=volume) == ["/v", "/oldroot/x"]
    sources = {volume: "/v", root: "/v/../v", volume / "other": "/v/far/x"}
    binds = [Bind(source=source, target=target) for source, target in sources.items()]
    assert [target for _, target in within(root, binds)] == ["/v", "/v", "/oldroot/tmp/x"]


@pytest.mark.parametrize(
    "target",
    ["/circle/x", "/proc", "/proc/self/root/tmp/x", "/a/../proc/1", f"/{256 * 'long'}"],
    ids=["circle", "proc", "below it", "by dots", "long"],
)
def test_a_target_that_cannot_be_had_is_refused(root: Path, target: str) -> None:
    """Below /proc are links that lead out of the container, as bwrap itself goes them."""
    with pytest.raises(BoxError, match=f"volume at {target}: "):
        found(root, target)


async def reaches_out(stage: Stage, directory: str, *targets: str) -> list[str]:
    sandbox = await stage.sandbox()
    root = await stage.runtime.mount_root(stage.image)
    volume = root.directory / "volume"
    volume.mkdir()
    (volume / "given").write_text("given")
    (volume / "out").symlink_to(f"/oldroot{directory}")
    (volume / "up").symlink_to(f"../../oldroot{directory}")
    first = Bind(source=volume, target="/volume")
    return [
        await _said(stage, replace(stage.spec(sandbox, root, ["true"]), binds=(first, bind)))
        for bind in (Bind(source=volume, target=target) for target in targets)
    ]


async def _said(stage: Stage, spec: Any) -> str:
    try:
        return str((await (await stage.runtime.start(spec)).wait()).code)
    except BoxError as error:
        return str(error)


@pytest.fixture
def outside(mode: Mode) -> Iterator[Path]:
    """A directory of the host that the box may write."""
    directory = Path(tempfile.mkdtemp(dir=mode.temporary))
    directory.chmod(0o777)
    yield directory
    shutil.rmtree(directory)


def test_no_target_makes_anything_on_the_host(mode: Mode, outside: Path) -> None:
    """By dots, by links in a volume, or by those of /proc and /dev."""
    targets: Sequence[str] = (
        f"/../oldroot{outside}/dots",
        "/volume/out/link",
        "/volume/up/link",
        f"/proc/self/root/oldroot{outside}/proc",
        f"/dev/fd/../root/oldroot{outside}/dev",
    )
    said = play(mode, reaches_out, str(outside), *targets)
    assert list(outside.iterdir()) == []
    assert [code for code in said if code != "0"] == [said[3]], json.dumps(said)
    assert "nothing can be mounted below /proc" in said[3]
    assert list(outside.iterdir()) == []
