"""A Kubernetes in a box: `up(Specification(…))`, or `python -m embedded up` from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedded.box.launcher import up
    from embedded.box.specification import Program, Specification
    from embedded.images.model import ImageConfig
    from embedded.images.recipe import Account, DebianRelease, File, Layer, Recipe, Wheels
    from embedded.images.table import ImageSource, ImageTable

__all__ = [
    "Account",
    "DebianRelease",
    "File",
    "ImageConfig",
    "ImageSource",
    "ImageTable",
    "Layer",
    "Program",
    "Recipe",
    "Specification",
    "Wheels",
    "up",
]

_MODULES = {
    "embedded.box.launcher": ("up",),
    "embedded.box.specification": ("Program", "Specification"),
    "embedded.images.model": ("ImageConfig",),
    "embedded.images.recipe": ("Account", "DebianRelease", "File", "Layer", "Recipe", "Wheels"),
    "embedded.images.table": ("ImageSource", "ImageTable"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, by PEP 562.

    Pid 1 of the box and each of its programs import this package, and need nothing of that.
    """
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
