"""The files of a report, one module each: a file name, and a pure function of the judged run.

A new module here with `FILE` and `render(run: Run) -> str` is a new file of every report: the run
itself and `python -m reports` write what they find here.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reports.run import Run


@dataclass(frozen=True, kw_only=True)
class Renderer:
    """One file of the report: its name, and the function that gives its text."""

    file: str
    render: Callable[[Run], str]


@functools.cache
def renderers() -> tuple[Renderer, ...]:
    """Return the renderers of this package, by the names of their modules.

    Raises AttributeError for a module without FILE or `render`, ValueError for two of one file.
    """
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found = tuple(Renderer(file=module.FILE, render=module.render) for module in modules)
    if len({renderer.file for renderer in found}) < len(found):
        raise ValueError(f"two renderers of one file: {', '.join(one.file for one in found)}")
    return found


def files() -> tuple[str, ...]:
    """Return the names of all files that are rendered."""
    return tuple(renderer.file for renderer in renderers())


def write_report(run: Run, directory: Path) -> None:
    """Write every file of the report. Raises OSError.

    A reader sees the old file or the new one, never half of it.
    """
    for renderer in renderers():
        draft = directory / f".{renderer.file}.new"
        draft.write_text(renderer.render(run), encoding="utf-8")
        draft.replace(directory / renderer.file)
