"""The launcher: makes the box, keeps the platform up, and takes it down."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.box import namespaces
from embedded.box.errors import BoxUnavailableError, ComponentError, WrongUseError
from embedded.box.run_directory import RunDirectory, make_run_directory
from embedded.box.specification import Specification
from embedded.box.trees import Tree, bytecode_directory, interpreter_trees
from embedded.images import store, table
from embedded.images.cache import ImageError, cache_directory, make_directory
from embedded.images.owners import BOX_UID
from embedded.images.recipe import DebianRelease
from embedded.images.tools import TOOLS
from embedded.programs import missing
from embedded.runtime.model import BoxError

EXIT_BROKEN = 1
EXIT_INTERRUPTED = 2
EXIT_UNAVAILABLE = 4
_NEEDED = ("bwrap",)


def up(specification: Specification) -> int:
    """Bring the platform up and keep it, until told to end; returns the exit code."""
    # Of what is made here only the kubeconfig is closed to others, by a mode of its own.
    os.umask(namespaces.UMASK)
    try:
        _check_programs()
        namespaces.check_open(interpreter_trees())
        release = store.host_release()
        run_directory = make_run_directory(specification.log_dir, specification.lifetime)
    except (WrongUseError, ImageError, BoxUnavailableError) as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    try:
        return _keep_up(specification, release, run_directory)
    except (BoxUnavailableError, ImageError) as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    except (ComponentError, BoxError, OSError) as error:
        log = error.log if isinstance(error, ComponentError) else ""
        log = log or namespaces.last_words(run_directory.logs / "box.log")
        print(*([log] if log else []), error, sep="\n", file=sys.stderr)
        return EXIT_BROKEN
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        run_directory.remove()


def _check_programs() -> None:
    path = namespaces.ENVIRONMENT["PATH"]
    for program in _NEEDED:
        if shutil.which(program, path=path) is None:
            raise BoxUnavailableError(f"embedded: {missing(program)}")


def _keep_up(
    specification: Specification, release: DebianRelease, run_directory: RunDirectory
) -> int:
    log = run_directory.open_log("box")
    # The box first: where there is none to be had, no image need be made.
    box = namespaces.create(_trees(run_directory), log)
    try:
        # Only now: it takes longer to load than to be told that there is no box.
        from embedded.box.platform import Platform

        with stoppable():
            tools = store.ensure(TOOLS, release, cache_directory())
            images = table.build(specification.images(release), release, cache_directory())
        Platform(specification, images, tools, run_directory, box, log).run()
    finally:
        box.end()
    return 0


@contextmanager
def stoppable() -> Iterator[None]:
    """Have SIGTERM and SIGHUP break the block off as Ctrl-C does, so that it clears up.

    Raises KeyboardInterrupt.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) == signal.SIG_DFL}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _trees(run_directory: RunDirectory) -> list[Tree]:
    cache = cache_directory()
    make_directory(cache)
    trees = [*interpreter_trees(), *run_directory.trees, Tree(path=cache)]
    if os.geteuid() == 0:
        trees += _bytecode_tree(cache)
    return trees


def _bytecode_tree(cache: Path) -> list[Tree]:
    # On a file system that can only be read, what is compiled is not kept.
    if not os.access(cache, os.W_OK):
        return []
    bytecode = bytecode_directory()
    bytecode.mkdir(exist_ok=True)
    os.chown(bytecode, BOX_UID, BOX_UID)
    return [Tree(path=bytecode, writable=True)]
