"""An image is there whole or not at all, is built once, and says in one line why it is not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.images import builder, cache, host, store
from embedded.images.cache import ImageError
from embedded.images.model import ImageConfig
from embedded.images.owners import BOX_UID
from embedded.images.recipe import RELEASES, Account, Recipe, Wheels
from tests.embedded.box.platform_process import processes_of

SMALL = Recipe(
    name="small",
    # base-files is what makes /bin a link to /usr/bin, from trixie on.
    packages=("base-files", "dash", "coreutils", "libc-bin"),
    config=ImageConfig(uid=7, gid=7),
    accounts=(Account(name="seven", uid=7, home="/home/seven"),),
    prune=("usr/share/*",),
    directories=("/made",),
    links=(("/linked", "/made"),),
    commands=(("/bin/sh", "-c", "id -u >/made/by"),),
    versions=(("/bin/echo", "small 1"),),
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A cache of its own, which mmdebstrap's ordinary user can reach."""
    for path in (tmp_path, *tmp_path.parents):
        if path == Path(tempfile.gettempdir()):
            break
        path.chmod(0o755)
    return tmp_path / "cache"


def test_an_image_is_made_once(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With what the recipe says, owned by whom the box needs; the second time it is there."""
    caplog.set_level("INFO")
    image = store.ensure(SMALL, store.host_release(), directory)
    root = image.layers[0]
    assert (root / "made/by").read_text() == "7\n"
    assert (root / "linked").readlink() == Path("/made")
    assert not list((root / "usr/share").iterdir())
    assert "seven:x:7:7:seven:/home/seven:" in (root / "etc/passwd").read_text()
    assert (root / "made/by").stat().st_uid == (BOX_UID if os.geteuid() == 0 else os.geteuid())
    assert (root.parent / "versions").read_text() == "small 1\n"
    said = list(caplog.messages)
    making = f"images: making small for {store.host_release().name}, once"
    count = len(said)
    assert said[0].startswith(f"{making}: step 1 of {count}, Debian's packages are downloaded")
    assert all(
        text.startswith(f"{making}: step {n} of {count}, ") for n, text in enumerate(said, 1)
    )
    assert store.ensure(SMALL, store.host_release(), directory) == image
    assert caplog.messages == said


def test_what_a_killed_build_left_is_not_taken(directory: Path) -> None:
    """It lies aside under another name, and the next build clears it."""
    left = directory / "small-bookworm-0.building"
    (left / "root").mkdir(parents=True)
    with cache.building(directory):
        assert not left.exists()


CLEARING = """
import sys; from pathlib import Path
from embedded.images import cache
try:
    with cache.building(Path(sys.argv[1])):
        pass
except cache.ImageError as error:
    print(error)
"""


def test_what_cannot_be_cleared_is_said(directory: Path) -> None:
    """In one line, with the path: here something is mounted there."""
    left = directory / "small-bookworm-0.building"
    left.mkdir(parents=True)
    done = subprocess.run(
        [
            *("bwrap", "--dev-bind", "/", "/", "--bind", str(left), str(left)),
            *(sys.executable, "-c", CLEARING, str(directory)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    text = f"images: {left} cannot be removed: Device or resource busy; remove it\n"
    assert (done.returncode, done.stdout) == (0, text), done.stderr


def test_a_package_that_is_not_there_is_said(directory: Path) -> None:
    """In one line with mmdebstrap's own last words, and nothing is left but the log."""
    broken = replace(SMALL, packages=("no-such-package-anywhere",))
    with pytest.raises(ImageError) as failure:
        store.ensure(broken, store.host_release(), directory)
    text = str(failure.value)
    assert text.startswith("images: small: mmdebstrap: code ")
    assert str(directory / "small.log") in text
    assert "\n" not in text
    assert "no-such-package-anywhere" in (directory / "small.log").read_text()
    assert sorted(path.name for path in directory.iterdir()) == ["lock", "small.log"]


FULL = """
import sys; from pathlib import Path
from embedded.images import store
from tests.embedded.images.test_building import SMALL
from embedded.images.cache import ImageError
try:
    store.ensure(SMALL, store.host_release(), Path(sys.argv[1]))
except ImageError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mmdebstrap runs as another uid only for root")
def test_a_full_disk_is_said(directory: Path) -> None:
    """In a file system of its own, which is too small."""
    directory.mkdir()
    script = 'mount -t tmpfs -o size=30m none "$2" && exec "$1" -c "$3" "$2"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, str(directory), FULL],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith(f"images: small: no space left under {directory}"), done.stdout


def test_a_second_run_waits_for_the_first(directory: Path) -> None:
    """It says so, and goes on once the lock is free."""
    program = (
        "import logging, sys; from pathlib import Path; from embedded.images import cache\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "with cache.building(Path(sys.argv[1])): print('mine')"
    )
    with cache.building(directory):
        other = subprocess.Popen(
            [sys.executable, "-c", program, str(directory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert other.stderr
        assert "waiting for another run" in other.stderr.readline()
        assert other.poll() is None
    assert other.communicate(timeout=60)[0] == "mine\n"


def test_a_lock_that_is_held_for_too_long_is_said(directory: Path) -> None:
    with (
        cache.building(directory),
        pytest.raises(ImageError) as failure,
        cache.building(directory, patience=1),
    ):
        pass
    text = f"images: another run has been building in {directory} for 1 s; wait for it, or end it"
    assert str(failure.value) == text


@pytest.mark.parametrize(
    ("program", "advice"),
    [
        ("bwrap", "apt-get install bubblewrap"),
        ("mmdebstrap", "apt-get install mmdebstrap"),
        ("uv", "pip install uv"),
    ],
)
def test_a_program_that_is_missing_is_said_with_its_package(
    directory: Path, monkeypatch: pytest.MonkeyPatch, program: str, advice: str
) -> None:
    directory.mkdir()
    (directory / "there").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(directory))
    command = "there" if program == "bwrap" else program
    with (
        pytest.raises(ImageError) as failure,
        builder.making(directory / "made", "x", lock=2) as step,
    ):
        step.run(builder.beside(command), 10)
    assert str(failure.value) == f"images: {program} is not installed: {advice}"


@pytest.mark.parametrize(("last", "why"), [("exit 3", "code 3"), ("sleep 1000", "not done in 2 s")])
def test_what_a_program_leaves_behind_ends_with_it(directory: Path, last: str, why: str) -> None:
    """Also what has left its session, and keeps nothing of it open; and so does the time limit."""
    directory.mkdir()
    leaves = f"setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo last words; {last}"
    with (
        pytest.raises(ImageError) as failure,
        builder.making(directory / "made", "x", lock=2) as step,
    ):
        step.run(builder.beside("sh", "-c", leaves), 2)
    assert str(failure.value).startswith(f"images: x: sh: {why}: last words (whole log: ")
    # Each has the build's own temporary directory in its environment.
    assert processes_of(directory) == []
    assert [path.name for path in directory.iterdir()] == ["x.log"]


READ_ONLY = """
import sys; from pathlib import Path
from embedded.images import store
from tests.embedded.images.test_building import SMALL
print(store.ensure(SMALL, store.host_release(), Path(sys.argv[1])).recipe)
"""


def test_a_cache_that_can_only_be_read_will_do(directory: Path) -> None:
    store.ensure(SMALL, store.host_release(), directory)
    done = subprocess.run(
        [
            *("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(directory), str(directory)),
            *(sys.executable, "-c", READ_ONLY, str(directory)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "small\n"), done.stderr


def test_the_key_follows_from_all_that_goes_in(tmp_path: Path) -> None:
    """Recipe, release and lock file; and from nothing that changes by itself."""
    bookworm, trixie = RELEASES["bookworm"], RELEASES["trixie"]
    lock = tmp_path / "requirements.txt"
    lock.write_text("one==1\n")
    wheels = Wheels(lock=lock, target="/opt/wheels", python="3.11")
    one = cache.key(SMALL, bookworm)
    assert one == cache.key(replace(SMALL), bookworm)
    assert one != cache.key(SMALL, trixie)
    assert one != cache.key(replace(SMALL, packages=("dash",)), bookworm)
    locked = cache.key(replace(SMALL, wheels=wheels), bookworm)
    assert locked != one
    lock.write_text("one==2\n")
    assert cache.key(replace(SMALL, wheels=wheels), bookworm) not in {one, locked}


JAMMY = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n'
NOBLE = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n'
MINT = (
    'PRETTY_NAME="Linux Mint 22"\nVERSION_CODENAME=wilma\nID=linuxmint\nID_LIKE="ubuntu debian"\n'
)


@pytest.mark.parametrize("text", [JAMMY, NOBLE, MINT], ids=["jammy", "noble", "mint"])
def test_what_is_like_debian_makes_images_of_debians_packages(tmp_path: Path, text: str) -> None:
    """By the keys of Debian's archive, which apt does not trust there; without them, it is said."""
    release, keyring = tmp_path / "os-release", tmp_path / "keyring"
    release.write_text(text)
    with pytest.raises(ImageError) as refused:
        host.host_release(release, keyring)
    assert str(refused.value).endswith("apt-get install debian-archive-keyring")
    keyring.touch()
    assert host.host_release(release, keyring) == RELEASES["bookworm"]
    assert host.keyring_options(release) == (f"--keyring={host.KEYRING}",)


ELSEWHERE = """
import sys; from pathlib import Path
from embedded.images import host, store
from tests.embedded.images.test_building import SMALL
print(store.ensure(SMALL, host.host_release(), Path(sys.argv[1])).release)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="to hide the keys of this machine takes root")
def test_an_image_is_made_where_apt_does_not_trust_debian(directory: Path, tmp_path: Path) -> None:
    """In mounts of its own, in which this machine calls itself Ubuntu and has no keys of apt's."""
    release = tmp_path / "os-release"
    release.write_text(NOBLE)
    script = (
        'mount --bind "$1" "$(readlink -f /etc/os-release)"; mount -t tmpfs none /etc/apt/'
        'trusted.gpg.d && exec "$2" -c "$3" "$4"'
    )
    arguments = [str(release), sys.executable, ELSEWHERE, str(directory)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "bookworm\n"), done.stderr


def test_another_system_is_refused(tmp_path: Path) -> None:
    """In one line, with what to do instead."""
    release = tmp_path / "os-release"
    release.write_text('PRETTY_NAME="Some Linux 1"\n')
    with pytest.raises(ImageError, match=r"this is .*Some Linux 1.*use kind"):
        store.host_release(release)
