"""The options of a run as pytest's, and the decision whether this pytest judges anything."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.run.options import Option
from fixtures.run.settings import OPTIONS
from fixtures.run.usage import UsageError
from fixtures.run.values import Flag

SUITES_INI = "conformance_suites"
DIRECTORY_INI = "conformance_directory"


def declare(parser: pytest.Parser) -> None:
    """Declare every option with pytest, under names that no other plugin uses."""
    group = parser.getgroup("conformance", "conformance of a PG cluster's TLS")
    for option in OPTIONS:
        group.addoption(option.flag, **_argparse(option))
    group.addoption(
        "--list",
        action="store_true",
        dest="pgtls_list",
        help="show requirements and their checks by chapter, and stop",
    )
    group.addoption(
        "--list-json",
        action="store_true",
        dest="pgtls_list_json",
        help="the same for programs: requirements, their checks, and the scenarios of these",
    )
    group.addoption(
        "--explain",
        action="append",
        metavar="ID",
        dest="pgtls_explain",
        help="say what a requirement, or each of a chapter, promises, where, and how it is checked,"
        " and stop; may be repeated",
    )
    group.addoption(
        "--images",
        action="store_true",
        dest="pgtls_images",
        help="say what the embedded platform runs for each image, what is there already and what is"
        " in its cache besides, and stop",
    )
    group.addoption(
        "--sweep",
        action="store_true",
        dest="pgtls_sweep",
        help="remove what runs left that were killed, on this machine and in the cluster that"
        " --platform names, and stop; what may be going on, or was kept, is left alone",
    )
    parser.addini(SUITES_INI, "the folder whose tests are checks", type="paths", default=None)
    parser.addini(
        DIRECTORY_INI,
        "where conformance.toml lies and reports go (default: the top of the project)",
        default="",
    )


@contextmanager
def usage_errors(redact: Callable[[str], str] = str) -> Iterator[None]:
    """Turn our UsageError into pytest's, which ends it with one line and exit code 4."""
    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(_fitted(redact(str(error)))) from None


def _fitted(text: str) -> str:
    """Wrap an error for a terminal; a pipe gets its one line. pytest writes "ERROR: " before it."""
    from reports.terminal import style_of  # every pytest of the project loads this module

    style = style_of(sys.stderr)
    if not style.breaks:
        return text
    return "\n".join(style.wrapped(f"ERROR: {text}", "", "  ")).removeprefix("ERROR: ")


def suites_folder(config: pytest.Config) -> Path:
    """The folder whose tests are checks."""
    configured: list[Path] | None = config.getini(SUITES_INI)
    return configured[0] if configured else config.rootpath / "suites"


def user_directory(config: pytest.Config) -> Path:
    """The directory of conformance.toml, and of the report where none is named."""
    configured: str = config.getini(DIRECTORY_INI)
    return Path(configured) if configured else config.rootpath


def asks_for_text(config: pytest.Config) -> bool:
    """Return whether --list, --list-json, --explain or --images was given."""
    names = ("list", "list_json", "explain", "images")
    return any(config.getoption(f"pgtls_{name}") for name in names)


def asks_for_sweep(config: pytest.Config) -> bool:
    """Return whether --sweep was given."""
    return bool(config.getoption("pgtls_sweep"))


def may_name_versions(config: pytest.Config) -> bool:
    """Return whether a run of the suites may have been asked to judge several versions.

    Cheaply, as every pytest of the project asks: whether it was is for its settings to say.
    """
    option = next(one for one in OPTIONS if one.name == "operator-version")
    given = config.getoption(option.destination) or os.environ.get(option.variable)
    if not given and not (user_directory(config) / "conformance.toml").is_file():
        return False
    folder = suites_folder(config)
    return all(_path(config, argument).is_relative_to(folder) for argument in config.args)


def judges(config: pytest.Config) -> bool:
    """Return whether the checks of the suites are to be run.

    Raises UsageError where they are mixed with other tests: a run gives verdicts, or it does not.
    """
    if config.getoption("help") or config.getoption("version") or config.option.collectonly:
        return False
    folder = suites_folder(config)
    paths = [_path(config, argument) for argument in config.args]
    inside = [path for path in paths if path.is_relative_to(folder)]
    if len(inside) == len(paths):
        return True
    above = [path for path in paths if folder.is_relative_to(path) and folder.is_dir()]
    if inside or above:
        raise UsageError(
            f"{(above or paths)[0]}: checks and other tests do not run together;"
            " name suites, or the other tests, but not both."
        )
    return False


def leave_named(config: pytest.Config) -> None:
    """Leave only named modules and checks, where some are named besides the whole folder.

    `tox -e conformance -- suites/test_fin.py::test_x` gives pytest the folder as well. A name that
    is none from here is looked for at the top of the project, from which reports name checks.
    """
    folder = suites_folder(config)
    config.args[:] = [_from_top(config, argument) for argument in config.args]
    named = [one for one in config.args if "::" in one or _path(config, one) != folder]
    if named and all(_path(config, one).is_relative_to(folder) for one in named):
        config.args[:] = list(dict.fromkeys(named))


def narrowed(config: pytest.Config) -> bool:
    """Return whether pytest itself chose checks: by -k, -m, --deselect, a module, a check."""
    option = config.option
    folder = suites_folder(config)
    return bool(option.keyword or option.markexpr or option.deselect) or any(
        "::" in argument or _path(config, argument) != folder for argument in config.args
    )


def given(config: pytest.Config) -> dict[str, Any]:
    """Return the command line's values by the names of Settings; None where nothing was given."""
    return {option.field: config.getoption(option.destination) for option in OPTIONS}


def _path(config: pytest.Config, argument: str) -> Path:
    return (config.invocation_params.dir / argument.partition("::")[0]).resolve()


def _from_top(config: pytest.Config, argument: str) -> str:
    path, separator, check = argument.partition("::")
    above = config.rootpath / path
    if not path or _path(config, argument).exists() or not above.exists():
        return argument
    return f"{above}{separator}{check}"


def _argparse(option: Option) -> dict[str, Any]:
    common: dict[str, Any] = {"dest": option.destination, "default": None, "help": option.help}
    kind = option.kind
    if isinstance(kind, Flag):
        return {"action": "store_true", **common}
    if kind.choices:
        common["help"] += f" (one of {', '.join(kind.choices)})"
    common["metavar"] = kind.metavar or option.name.upper()
    return {"action": "append" if kind.repeatable else "store", **common}
