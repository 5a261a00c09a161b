"""Make an image: packages by mmdebstrap, then what maintainer scripts would have done."""

from __future__ import annotations

import errno
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded.images import cache, sandbox
from embedded.images.cache import ImageError
from embedded.images.host import keyring_options
from embedded.images.model import Image
from embedded.images.owners import BOX_UID, is_boxs
from embedded.images.recipe import Account, DebianRelease, Layer, Recipe, Wheels
from embedded.programs import missing

_log = logging.getLogger(__name__)

PACKAGES_SECONDS = 600
STEP_SECONDS = 180
TAIL_LINES = 3
VERSIONS = "versions"
# Mirrors lag behind. What the lists say is signed all the same.
_EXPIRED_LISTS = ('--aptopt=Acquire::Check-Valid-Until "false"',)
_EVERYWHERE = (Account(name="root", uid=0, home="/root"), Account(name="nobody", uid=65534))
# A container may run as any user, and files of an image by recipe are root's.
_ANYBODYS = 0o777
MOUNT_POINTS = ("dev", "proc", "sys", "run", "tmp", "etc", "usr/local/bin", "usr/bin", "var/lib")


def build(recipe: Recipe, release: DebianRelease, target: Path, lock: int) -> None:
    """Make the root file system at `target`; it is there whole, or not at all.

    `lock` is the cache's, which the caller holds. Raises ImageError.
    """
    with making(target, recipe.name, lock) as step:
        _make(recipe, release, step)


def _make(recipe: Recipe, release: DebianRelease, step: Step) -> None:
    say = _Said(recipe, release)
    step.root.mkdir()
    say.next("Debian's packages are downloaded and unpacked", PACKAGES_SECONDS)
    _packages(recipe, release, step)
    say.next("what is not needed goes", STEP_SECONDS)
    for pattern in recipe.prune:
        _prune(step.root, pattern)
    _accounts(step.root, recipe.accounts)
    _furnish(recipe, step.root)
    if recipe.wheels is not None:
        say.next("Python's packages are downloaded and unpacked", PACKAGES_SECONDS)
        _wheels(recipe.wheels, step)
    for command in recipe.commands:
        say.next(f"{Path(command[0]).name} sets it up", STEP_SECONDS)
        step.run(inside(step.root, command, uid=recipe.config.uid), STEP_SECONDS)
    say.next("its programs are tried", STEP_SECONDS)
    versions = [
        step.run(inside(step.root, c, uid=recipe.config.uid), STEP_SECONDS) for c in recipe.versions
    ]
    text = "".join(f"{line.splitlines()[0]}\n" for line in versions)
    (step.work / VERSIONS).write_text(text)


class _Said:
    """Says which step of an image is done, of how many, and how long it may take."""

    def __init__(self, recipe: Recipe, release: DebianRelease) -> None:
        self._image = f"images: making {recipe.name} for {release.name}, once"
        self._steps = 3 + (recipe.wheels is not None) + len(recipe.commands)
        self._step = 0

    def next(self, doing: str, seconds: float) -> None:
        """Say that the next step begins."""
        self._step += 1
        text = "%s: step %d of %d, %s (%.0f s at most)"
        _log.info(text, self._image, self._step, self._steps, doing, seconds)


def build_layer(layer: Layer, base: Image, target: Path, lock: int) -> None:
    """Make the layer at `target`, for the image `base` below; it is there whole, or not at all.

    `lock` is the cache's, which the caller holds. Raises ImageError.
    """
    with making(target, layer.name, lock) as step:
        directory = step.root / layer.directory[1:]
        directory.mkdir(parents=True)
        for name, source in layer.files:
            copy = directory / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            copy.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        binds = [(directory, layer.directory)]
        for command in layer.commands:
            step.run(inside(base.layers[0], command, uid=0, binds=binds), STEP_SECONDS)


@contextmanager
def making(target: Path, image: str, lock: int) -> Iterator[Step]:
    """Give a step of `image` with a directory that becomes `target`, unless the block raises.

    The directory is like no other's, and `cache.building` clears what a killed one leaves. `lock`
    is the cache's, which the caller holds. Raises ImageError.
    """
    with aside(target, image) as work:
        step = Step(image, work, target.parent / f"{image}.log", lock)
        yield step
        shutil.rmtree(step.temporary)


@contextmanager
def aside(target: Path, image: str) -> Iterator[Path]:
    """Give a new directory that becomes `target`, unless the block raises.

    Raises ImageError in place of an OSError.
    """
    try:
        work = Path(tempfile.mkdtemp(cache.ASIDE, f"{target.name}.", target.parent))
        try:
            # Open to the uid that unpacks packages, and to the box.
            work.chmod(0o755)
            yield work
            give_to_box(work)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            text = f"no space left under {target.parent}; about 1 GB is needed"
            raise ImageError(f"images: {image}: {text}") from error
        raise ImageError(f"images: {image}: {error}") from error


class Step:
    """Runs the programs of one build in `work`, all into one log.

    `root` is where the build makes its layer; programs have `temporary` for their own needs.
    """

    def __init__(self, image: str, work: Path, log: Path, lock: int) -> None:
        self.image = image
        self.work = work
        self.root = work / "root"
        self.temporary = work / "temporary"
        self.log = log
        self._lock = lock
        self.temporary.mkdir()
        log.write_bytes(b"")

    def run(self, command: Sequence[str], seconds: float, user: int | None = None) -> str:
        """Run a command line of `beside` or `inside`; returns what it printed.

        Raises ImageError with the log's last lines when it fails, OSError.
        """
        program = sandbox.program(command)
        if user is not None:
            os.chown(self.temporary, user, user)
        start = self.log.stat().st_size
        try:
            with self.log.open("ab") as out:
                code = sandbox.run(
                    command,
                    seconds,
                    output=out,
                    lock=self._lock,
                    user=user,
                    more={"LC_ALL": "C.UTF-8", "TMPDIR": str(self.temporary)},
                )
        except FileNotFoundError as error:
            raise ImageError(f"images: {missing(command[0])}") from error
        except subprocess.TimeoutExpired as error:
            raise ImageError(self._failure(program, f"not done in {seconds:.0f} s")) from error
        if code != 0:
            raise ImageError(self._failure(program, f"code {code}"))
        return self.log.read_bytes()[start:].decode(errors="replace")

    def _failure(self, program: str, why: str) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        if any("No space left on device" in line for line in lines):
            return (
                f"images: {self.image}: no space left under {self.log.parent}; about 1 GB is needed"
            )
        tail = " / ".join(line.strip() for line in lines[-TAIL_LINES:])
        return f"images: {self.image}: {Path(program).name}: {why}: {tail} (whole log: {self.log})"


def _packages(recipe: Recipe, release: DebianRelease, step: Step) -> None:
    command = beside(
        "mmdebstrap",
        "--variant=extract",
        "--mode=chrootless",
        *keyring_options(),
        *(() if release.is_released else _EXPIRED_LISTS),
        f"--include={','.join(recipe.packages)}",
        release.name,
        str(step.root),
    )
    if os.geteuid() == 0:
        # As root this mode could touch the host, so it is not run as root.
        os.chown(step.root, BOX_UID, BOX_UID)
        step.run(command, PACKAGES_SECONDS, user=BOX_UID)
        _own(step.root, 0)
    else:
        step.run(command, PACKAGES_SECONDS)


def _prune(root: Path, pattern: str) -> None:
    for path in root.glob(pattern):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _accounts(root: Path, accounts: Sequence[Account]) -> None:
    everybody = (*_EVERYWHERE, *accounts)
    passwd = [f"{a.name}:x:{a.uid}:{a.uid}:{a.name}:{a.home}:/bin/bash" for a in everybody]
    group = [f"{a.name}:x:{a.uid}:" for a in everybody]
    (root / "etc/passwd").write_text("\n".join(passwd) + "\n")
    (root / "etc/group").write_text("\n".join(group) + "\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    for account in everybody:
        home = root / account.home[1:]
        home.mkdir(parents=True, exist_ok=True)
        if account in accounts and home != root:
            home.chmod(_ANYBODYS)


def _furnish(recipe: Recipe, root: Path) -> None:
    for name in MOUNT_POINTS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for directory in recipe.directories:
        (root / directory[1:]).mkdir(parents=True, exist_ok=True)
        (root / directory[1:]).chmod(_ANYBODYS)
    (root / "tmp").chmod(0o1777)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    for name in ("hostname", "resolv.conf"):
        (root / "etc" / name).write_text("")
    for name, target in recipe.links:
        if not os.path.lexists(root / name[1:]):
            (root / name[1:]).symlink_to(target)
    for file in recipe.files:
        copy = root / file.target[1:]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.source, copy)
        copy.chmod(file.mode)


def _wheels(wheels: Wheels, step: Step) -> None:
    command = beside(
        _uv(),
        "pip",
        "install",
        "--quiet",
        "--no-config",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        f"--python-version={wheels.python}",
        f"--python-platform={platform.machine()}-manylinux_2_36",
        f"--target={step.root}{wheels.target}",
        f"--requirement={wheels.lock}",
    )
    step.run(command, PACKAGES_SECONDS)


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.exists() else "uv"


def beside(*command: str) -> list[str]:
    """Return the command line that runs `command` on the machine itself, bound to us.

    Raises ImageError where its program is missing.
    """
    if shutil.which(command[0]) is None:
        raise ImageError(f"images: {missing(command[0])}")
    return sandbox.command_line(command)


def inside(
    root: Path, command: Sequence[str], *, uid: int, binds: Sequence[tuple[Path, str]] = ()
) -> list[str]:
    """Return the command line that runs `command` in the image at `root`, as `uid`.

    `binds` are pairs of a directory outside and where it is seen inside.
    """
    more = [part for source, target in binds for part in ("--bind", str(source), target)]
    options = ("--unshare-all", "--uid", str(uid), "--gid", str(uid))
    files = (
        *("--bind", str(root), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108
        *more,
        "--clearenv",
        *("--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8"),
    )
    return sandbox.command_line(command, options=options, files=files)


def give_to_box(root: Path) -> None:
    """In root mode, hand `root` to the uid that is the box's root; a user's box is the user's.

    What is of another user of the box stays that user's.
    """
    if os.geteuid() == 0:
        _own(root, BOX_UID)


def _own(root: Path, uid: int) -> None:
    _give(root, uid)
    for directory, directories, files in os.walk(root):
        for name in (*directories, *files):
            _give(Path(directory, name), uid)


def _give(path: Path, uid: int) -> None:
    status = path.lstat()
    user = status.st_uid if is_boxs(status.st_uid) else uid
    group = status.st_gid if is_boxs(status.st_gid) else uid
    os.chown(path, user, group, follow_symlinks=False)
