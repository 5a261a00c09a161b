"""The journal of this run, and what becomes of it when it cannot be written."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fixtures.run.awaiting import Awaited
from fixtures.run.surroundings import Part
from reports.events import EnvironmentBroke, Event, Footer, Header, Interrupted, Note, Took
from reports.journal import Journal, JournalWriter
from reports.renderers import write_report
from reports.run import Run
from reports.verdicts import judge
from suites.plugin.display import Display

JOURNAL = "journal.jsonl"


class RunRecorder:
    """Keeps every event in the file and in memory: a full disk must not hide the verdicts.

    `redact` takes what is secret out of a text: out of all free text, before it is kept or shown.
    It is what `fixtures.run.surroundings.Recorder` promises to the fixtures.
    """

    def __init__(self, directory: Path, display: Display, redact: Callable[[str], str]) -> None:
        self.directory = directory
        self.unwritten: OSError | None = None
        self._display = display
        self._redact = redact
        self._header: Header | None = None
        self._events: list[Event] = []
        self._early: list[Event] = []
        self._writer: JournalWriter | None = None
        self._cut = False

    @property
    def open(self) -> bool:
        """True if the header was written, so that there is something to judge."""
        return self._header is not None

    def begin(self, header: Header) -> None:
        """Write the header, and what was noted before it could be."""
        self._header = header.reworded(self._redact)
        try:
            self._writer = JournalWriter(self.directory / JOURNAL, self._header)
        except OSError as error:
            self.unwritten = self.unwritten or error
        for event in self._early:
            self.write(event)

    def write(self, event: Event) -> None:
        """Keep an event; what cannot be written is remembered, and costs exit code 3."""
        if self._header is None:
            self._early.append(event)
            return
        event = event.reworded(self._redact)
        self._events.append(event)
        if self._writer is None or self._cut:
            return
        try:
            self._writer.write(event)
        except OSError as error:
            self._cut = True
            self.unwritten = self.unwritten or error

    def note(self, text: str, **details: str) -> None:
        """Keep a line about something that happened."""
        self.write(Note(time=time.time(), text=text, details=details))

    def say(self, text: str, *, whole: bool = False) -> None:
        """Keep a line, and show it to the person who runs the suite; not wrapped if `whole`."""
        self.note(text)
        if whole:
            self._display.say(self._redact(text))
        else:
            self._display.tell(self._redact(text))

    def broke(self, text: str, *, log: str = "") -> None:
        """Keep that the environment broke."""
        self.write(EnvironmentBroke(time=time.time(), text=text, log=log))

    def progress(self, text: str) -> None:
        """Show what is waited for."""
        self._display.progress(self._redact(text))

    def awaits(self, who: str, awaited: Awaited | None) -> None:
        """Show what a scenario, or the run itself, waits for."""
        if awaited is not None:
            awaited = replace(awaited, text=self._redact(awaited.text))
        self._display.awaits(who, awaited)

    def took(self, part: Part, name: str, seconds: float) -> None:
        """Keep how long a part of the run took."""
        self.write(Took(time=time.time(), part=part, name=name, seconds=round(seconds, 3)))

    def interrupted(self, by: str) -> None:
        """Keep that the run was stopped, and by what."""
        self.write(Interrupted(time=time.time(), by=by))

    def conclude(self) -> Run:
        """Write the footer, judge, and write the reports."""
        self.write(Footer(time=time.time()))
        assert self._header is not None
        run = judge(Journal(header=self._header, events=tuple(self._events)))
        try:
            if self._writer is not None:
                self._writer.close()
            write_report(run, self.directory)
        except OSError as error:
            self.unwritten = self.unwritten or error
        return run
