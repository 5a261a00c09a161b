"""Make an image: packages by mmdebstrap, then what maintainer scripts would have done."""

from __future__ import annotations

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

from embedded.images import bond, cache
from embedded.images.cache import ImageError
from embedded.images.recipes import ACCOUNTS, FILES, OPERATOR_WHEELS, Recipe, Suite
from embedded.programs import missing

_log = logging.getLogger(__name__)

# In root mode the box is a user namespace in which this host uid is root.
BOX_UID = 60000
PACKAGES_SECONDS = 600
STEP_SECONDS = 180
TAIL_LINES = 3
VERSIONS = "versions"
MOUNT_POINTS = ("dev", "proc", "sys", "run", "tmp", "etc", "usr/local/bin", "usr/bin", "var/lib")


def build(recipe: Recipe, suite: Suite, target: Path, lock: int) -> None:
    """Make the root file system at `target`; it is there whole, or not at all.

    `lock` is the cache's, which the caller holds. Raises ImageError.
    """
    _log.info("images: making %s for %s, once", recipe.name, suite.name)
    with making(target, recipe.name, lock) as step:
        _make(recipe, suite, step)


def _make(recipe: Recipe, suite: Suite, step: Step) -> None:
    step.root.mkdir()
    _packages(recipe, suite, step)
    for pattern in recipe.prune:
        _prune(step.root, pattern)
    _accounts(step.root)
    _furnish(recipe, step.root)
    if recipe.requirements:
        _wheels(recipe, suite, step)
    for command in recipe.commands:
        step.run(inside(step.root, command, uid=recipe.config.uid), STEP_SECONDS)
    said = [
        step.run(inside(step.root, c, uid=recipe.config.uid), STEP_SECONDS) for c in recipe.versions
    ]
    text = "".join(f"{line.splitlines()[0]}\n" for line in said)
    (step.work / VERSIONS).write_text(text)


@contextmanager
def making(target: Path, image: str, lock: int) -> Iterator[Step]:
    """Give a step of `image` with a directory that becomes `target`, unless the block raises.

    The directory is like no other's, and `cache.building` clears what a killed one leaves. `lock`
    is the cache's, which the caller holds. Raises ImageError, and in place of an OSError.
    """
    try:
        work = Path(tempfile.mkdtemp(cache.ASIDE, f"{target.name}.", target.parent))
        try:
            step = Step(image, work, target.parent / f"{image}.log", lock)
            yield step
            shutil.rmtree(step.temporary)
            give_to_box(work)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
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
        # Open to the uid that unpacks packages, and to the box.
        work.chmod(0o755)
        self.temporary.mkdir()
        log.write_bytes(b"")

    def run(self, command: Sequence[str], seconds: float, user: int | None = None) -> str:
        """Run a command line of `beside` or `inside`; returns what it printed.

        Raises ImageError with the log's last lines when it fails, OSError.
        """
        program = bond.program(command)
        if user is not None:
            os.chown(self.temporary, user, user)
        start = self.log.stat().st_size
        try:
            with self.log.open("ab") as out:
                code = bond.run(
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


def _packages(recipe: Recipe, suite: Suite, step: Step) -> None:
    command = beside(
        "mmdebstrap",
        "--variant=extract",
        "--mode=chrootless",
        f"--include={','.join(recipe.packages)}",
        suite.name,
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


def _accounts(root: Path) -> None:
    passwd = [f"{a.name}:x:{a.number}:{a.number}:{a.name}:{a.home}:/bin/bash" for a in ACCOUNTS]
    group = [f"{a.name}:x:{a.number}:" for a in ACCOUNTS]
    (root / "etc/passwd").write_text("\n".join(passwd) + "\n")
    (root / "etc/group").write_text("\n".join(group) + "\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    for account in ACCOUNTS:
        (root / account.home[1:]).mkdir(parents=True, exist_ok=True)


def _furnish(recipe: Recipe, root: Path) -> None:
    for name in (*MOUNT_POINTS, *(directory[1:] for directory in recipe.directories)):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    for name in ("hostname", "resolv.conf"):
        (root / "etc" / name).write_text("")
    for name, target in recipe.links:
        if not os.path.lexists(root / name[1:]):
            (root / name[1:]).symlink_to(target)
    for target, name in recipe.files:
        shutil.copyfile(FILES / name, root / target[1:])
        (root / target[1:]).chmod(0o755)


def _wheels(recipe: Recipe, suite: Suite, step: Step) -> None:
    command = beside(
        _uv(),
        "pip",
        "install",
        "--quiet",
        "--no-config",
        "--require-hashes",
        "--only-binary=:all:",
        f"--python-version={suite.python}",
        f"--python-platform={platform.machine()}-manylinux_2_36",
        f"--target={step.root}{OPERATOR_WHEELS}",
        f"--requirement={cache.REQUIREMENTS / recipe.requirements}",
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
    return bond.command_line(command)


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
    return bond.command_line(command, options=options, files=files)


def give_to_box(root: Path) -> None:
    """In root mode, hand `root` to the uid that is the box's root; a user's box is the user's."""
    if os.geteuid() == 0:
        _own(root, BOX_UID)


def _own(root: Path, uid: int) -> None:
    os.chown(root, uid, uid)
    for directory, directories, files in os.walk(root):
        for name in (*directories, *files):
            os.chown(Path(directory, name), uid, uid, follow_symlinks=False)
