"""The terminal while a run goes on: a letter for each check, and what is waited for."""

import os
import sys
import threading
from typing import TextIO

from reports.events import Outcome
from reports.terminal import Style
from reports.text import one_line

LETTERS: dict[Outcome, str] = {
    "passed": ".",
    "failed": "F",
    "error": "E",
    "blocked": "b",
    "skipped": "s",
}
CLEAR_REST = "\x1b[K"


class Display:
    """Writes to what was standard output before pytest began to capture it; thread-safe.

    If that is no terminal, what is waited for goes to standard error, and only until the run's
    heading: the first line of the output stays the heading, and a log shows why it takes long.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._out = _TerminalWriter(sys.stdout)
        self._err = _TerminalWriter(sys.stderr)
        self._headed = False
        self._lock = threading.RLock()
        self._line = ""
        self._width = 0
        self._chapter = ""
        self._verbose = verbose
        self._tty = self._out.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def style(self) -> Style:
        """Width and colours, as the terminal has them."""
        width = self._out.columns() if self._tty else 100
        colour = self._tty and "NO_COLOR" not in os.environ
        return Style(width=min(width or 100, 120), colour=colour)

    def head(self, text: str) -> None:
        """Write the run's heading."""
        with self._lock:
            self._headed = True
            self.say(text)

    def say(self, text: str) -> None:
        """Write whole lines."""
        with self._lock:
            self._end_line()
            self._out.write(text if text.endswith("\n") else text + "\n")

    def check(self, chapter: str, outcome: Outcome, ids: str, name: str, seconds: float) -> None:
        """Show that a check ended."""
        if self._verbose:
            self.say(f"{outcome:<8} {ids}  {name}  {seconds:.2f} s")
            return
        with self._lock:
            if chapter != self._chapter:
                self._end_line()
                self._chapter, self._line = chapter, f"{chapter:<9} "
                self._width = len(self._line)
                self._out.write(self._line)
            letter = self.style.paint(LETTERS[outcome], outcome)
            self._line += letter
            self._width += 1  # colours take no room
            self._out.write(f"\r{self._line}{CLEAR_REST}" if self._tty else letter)

    def progress(self, text: str) -> None:
        """Show what is waited for, in the rest of the line."""
        with self._lock:
            if not self._tty:
                if not self._headed:
                    self._err.write(one_line(text) + "\n")
                return
            room = max(self.style.width - self._width - 3, 10)
            self._out.write(f"\r{self._line}  {one_line(text)[:room]}{CLEAR_REST}")

    def close(self) -> None:
        """End the line and let go of the terminal."""
        with self._lock:
            self._end_line()
            self._out.close()
            self._err.close()

    def _end_line(self) -> None:
        if self._line:
            self._out.write(f"\r{self._line}{CLEAR_REST}\n" if self._tty else "\n")
        elif self._tty:
            self._out.write(f"\r{CLEAR_REST}")
        self._line = self._chapter = ""
        self._width = 0


class _TerminalWriter:
    """Writes to what a stream was before pytest began to capture it.

    Straight to the descriptor: a signal's handler may write while the main thread is writing, which
    a buffered stream refuses.
    """

    def __init__(self, stream: TextIO) -> None:
        self._deaf = False
        self._stream = stream
        try:
            self._copy: int | None = os.dup(stream.fileno())
        except (OSError, ValueError):
            self._copy = None

    def isatty(self) -> bool:
        return os.isatty(self._copy) if self._copy is not None else self._stream.isatty()

    def columns(self) -> int:
        try:
            return 100 if self._copy is None else os.get_terminal_size(self._copy).columns
        except OSError:
            return 100

    def write(self, text: str) -> None:
        """Write, unless nobody reads any more: then the run goes on, for its report is kept."""
        if self._deaf:
            return
        try:
            if self._copy is None:
                self._stream.write(text)
                self._stream.flush()
                return
            rest = text.encode("utf-8", "replace")
            while rest:
                rest = rest[os.write(self._copy, rest) :]
        except (OSError, ValueError):  # the latter of a stream that was closed
            self._deaf = True

    def close(self) -> None:
        """Let go of it; what is written later is not shown."""
        self._deaf = True
        if self._copy is not None:
            os.close(self._copy)
            self._copy = None
