"""The command `pg-tls-conformance`: the suite from any directory, without a checkout.

The wheel has the repository's folders below one private directory, so that names such as `reports`
take no place beside other people's packages. That directory comes first on the `sys.path` of this
process; programs that it starts get it in `PYTHONPATH` by whoever starts them, as in a checkout.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pg_tls_conformance import __version__

if TYPE_CHECKING:
    import pytest

USAGE = """\
usage: pg-tls-conformance run [OPTION]...    judge an operator; run --help lists the options
       pg-tls-conformance --list             requirements and checks, by chapter
       pg-tls-conformance --explain ID       what a requirement promises, and how it is checked
       pg-tls-conformance report DIR         say again what a run found, from its journal
       pg-tls-conformance agree DIR DIR...   whether several runs came to the same verdicts
       pg-tls-conformance faults [FAULT]...  show that each fault is caught by its checks
       pg-tls-conformance --version
"""
WRONG_USE = 4
CLOSED_OUTPUT = 1


def root() -> Path:
    """Return the directory of `suites`: the private one of a wheel, or the top of a checkout."""
    package = Path(__file__).resolve().parent
    private = package / "_root"
    return private if private.is_dir() else package.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _do(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left at its exit, to a pipe that nobody reads any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_OUTPUT
    return code


def _do(words: list[str]) -> int:
    command = words[0].partition("=")[0] if words else ""
    match command:
        case "--version":
            print(f"pg-tls-conformance {__version__}")
            return 0
        case "-h" | "--help":
            print(USAGE, end="")
            return 0
        case "--list" | "--list-json" | "--explain":
            return _run(words)
    if command in _PROGRAMS:
        return _PROGRAMS[command](words[1:])
    print(f"{_unknown(command)}\n{USAGE}" if command else USAGE, end="", file=sys.stderr)
    return WRONG_USE


def _unknown(command: str) -> str:
    if command.startswith("-"):
        return f"{command}: options of a run go behind run: pg-tls-conformance run {command}"
    return f"{command}: no such command"


class _ProgramName:
    """A pytest plugin that says in `--help` how the suite was called."""

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Name the program."""
        parser.prog = "pg-tls-conformance run"


def _run(words: list[str]) -> int:
    """Run the checks as `tox -e conformance -- WORDS` does, for a user in this directory."""
    import pytest

    there = _on_path()
    return pytest.main(
        [
            str(there / "suites"),
            f"--config-file={there / 'pyproject.toml'}",
            f"--override-ini=conformance_directory={Path.cwd()}",
            *words,
        ],
        plugins=[_ProgramName()],
    )


def _report(words: list[str]) -> int:
    _on_path()
    from reports.__main__ import main as report

    return report(words, prog="pg-tls-conformance report")


def _agree(words: list[str]) -> int:
    _on_path()
    from reports.agree import main as agree

    return agree(words, prog="pg-tls-conformance agree")


def _faults(words: list[str]) -> int:
    _on_path()
    from faultmatrix.__main__ import main as faults

    return faults(words, prog="pg-tls-conformance faults")


_PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "run": _run,
    "report": _report,
    "agree": _agree,
    "faults": _faults,
}


def _on_path() -> Path:
    there = root()
    if str(there) not in sys.path:
        sys.path.insert(0, str(there))
    return there
