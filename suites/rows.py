"""Rows of the catalogue's files: read from YAML, and refused in one line where malformed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from fixtures.run.usage import UsageError, reason

Entry = TypeVar("Entry", bound=BaseModel)
_NAMES = ("id", "requirement", "promise", "title", "says", "finding", "means")


class Row(BaseModel):
    """The base of all rows: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read(path: Path) -> Any:
    """Return what a YAML file holds. Raises UsageError with the place where it is none."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - safe both
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{path.name}{place}: {error.problem}. Correct the file.") from None
    except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError of bytes, and of dates
        raise UsageError(
            f"{path.name}: cannot be read: {reason(error)}. Restore the file."
        ) from None


def read_rows(model: type[Entry], path: Path) -> Iterator[Entry]:
    """Return the rows of a file that is one list. Raises UsageError."""
    entries = read(path)
    if not isinstance(entries, list):
        raise UsageError(f"{path.name}: is no list of entries; restore the file.")
    return (parse_row(model, entry, path.name) for entry in entries)


def parse_row(model: type[Entry], entry: Any, file: str) -> Entry:
    """Read one entry. Raises UsageError that names the entry and its field."""
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "entry"
        why = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{file}: {_named(entry)}, {field}: {why}. Correct the file.") from None


def _named(entry: Any) -> str:
    """Return what an entry is found by in its file: its id, or its beginning where it has none."""
    texts = entry if isinstance(entry, dict) else {}
    for key in _NAMES:
        if isinstance(texts.get(key), str):
            return f"{texts[key]:.60}"
    return f"entry {entry!r:.60}"
