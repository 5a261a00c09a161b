"""The journal: JSON Lines, one event a line, on the disk as soon as it happened.

A run that is killed leaves a journal without a footer, perhaps with half a last line. That is
read all the same, and said: such a run was cut off. Anything else out of order is an error with
a name, for a report from a broken journal would be a guess.
"""

import contextlib
import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter, ValidationError

from reports.events import SCHEMA, AnyEvent, CheckFinished, CheckStarted, Event, Footer, Header
from reports.journal_errors import (
    AfterFooter,
    DuplicateCheck,
    DuplicateHeader,
    JournalError,
    MalformedLine,
    MissingFooter,
    MissingHeader,
    UnknownSchema,
)

__all__ = [
    "AfterFooter",
    "DuplicateCheck",
    "DuplicateHeader",
    "Journal",
    "JournalError",
    "JournalWriter",
    "MalformedLine",
    "MissingFooter",
    "MissingHeader",
    "UnknownSchema",
    "read",
]

_EVENT: TypeAdapter[Event] = TypeAdapter(AnyEvent)


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The content of a journal: the header, and every event after it."""

    header: Header
    events: tuple[Event, ...]

    @property
    def cut_off(self) -> bool:
        """True if the run ended without saying so."""
        return not self.events or not isinstance(self.events[-1], Footer)


class JournalWriter:
    """Writes events as they happen, from any thread."""

    def __init__(self, path: Path, header: Header) -> None:
        """Create the file with its header. Raises OSError when it cannot be written."""
        self._lock = threading.Lock()
        self._file = path.open("w", encoding="utf-8")
        try:
            self.write(header)
        except OSError:
            with contextlib.suppress(OSError):  # what is in its buffer cannot be written either
                self._file.close()
            raise

    def write(self, event: Event) -> None:
        """Append an event and flush it. Raises OSError, for example on a full disk."""
        with self._lock:
            self._file.write(event.model_dump_json() + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; the footer is the caller's to write."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(path: Path, *, whole: bool = False) -> Journal:
    """Read a journal; with `whole`, raise MissingFooter for a run that was cut off.

    A last line that does not end in a newline was cut off while being written and is left out.
    Raises JournalError, one class for each way of being broken, and OSError.
    """
    *lines, rest = path.read_bytes().split(b"\n")
    events = [_event(path, number, line) for number, line in enumerate(lines, start=1)]
    if not events or not isinstance(events[0], Header):
        raise MissingHeader(f"{path}: does not begin with a header; it is no journal of a run.")
    journal = Journal(header=events[0], events=tuple(events[1:]))
    _refuse_disorder(path, journal)
    if whole and (journal.cut_off or rest):
        raise MissingFooter(f"{path}: has no footer; the run was cut off.")
    return journal


def _event(path: Path, number: int, line: bytes) -> Event:
    if number == 1:
        _refuse_newer(path, line)
    try:
        return _EVENT.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MalformedLine(
            f"{path}, line {number}: not an event: {where} {first['msg']}."
        ) from None


def _refuse_newer(path: Path, line: bytes) -> None:
    """Say that a journal is newer, rather than which of its fields is strange."""
    if (found := _schema_of(line)) > SCHEMA:
        raise UnknownSchema(
            f"{path}: schema version {found} is newer than {SCHEMA}; use the suite that wrote it."
        )


def _schema_of(line: bytes) -> int:
    try:
        return int(json.loads(line).get("schema_version", 0))
    except (ValueError, AttributeError, TypeError):
        return 0


def _refuse_disorder(path: Path, journal: Journal) -> None:
    for event in journal.events:
        if isinstance(event, Header):
            raise DuplicateHeader(f"{path}: holds two runs; give each a directory of its own.")
    for event in journal.events[:-1]:
        if isinstance(event, Footer):
            raise AfterFooter(f"{path}: goes on after its footer.")
    for kind in (CheckStarted, CheckFinished):
        times = Counter(event.check for event in journal.events if isinstance(event, kind))
        for check, count in times.items():
            if count > 1:
                raise DuplicateCheck(f"{path}: {check} is there {count} times.")
