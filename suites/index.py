"""The checks and the requirements that they decide, read from source that is not run.

Importing the suites costs a second, most of it the Kubernetes client. A listing should not.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARKS = ("requirement", "finding")


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check as its source shows it; `asks` are its parameters, `text` is its docstring."""

    file: Path
    name: str
    line: int
    ids: tuple[str, ...]
    asks: tuple[str, ...]
    text: str

    def node(self, root: Path) -> str:
        """Give what pytest is told to run this check alone."""
        return f"{self.file.relative_to(root).as_posix()}::{self.name}"


def checks(directory: Path) -> tuple[Check, ...]:
    """Find the checks of a directory, by file and line."""
    return tuple(
        check for file in sorted(directory.rglob("test_*.py")) for check in _checks_of(file)
    )


def _checks_of(file: Path) -> Iterator[Check]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield Check(
                file=file,
                name=node.name,
                line=node.lineno,
                ids=tuple(id_ for mark in node.decorator_list for id_ in _ids(mark)),
                asks=tuple(argument.arg for argument in node.args.args),
                text=ast.get_docstring(node) or "",
            )


def _ids(decorator: ast.expr) -> Iterator[str]:
    """Find the ids in a decorator, also in the marks of one parameter of a parametrized check."""
    for node in ast.walk(decorator):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in MARKS:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
