"""The terminal while a run goes on: a letter for each check, and what is waited for."""

import os
import sys
import threading
import time
from typing import TextIO

from fixtures.run.awaiting import Awaited
from reports.events import Outcome
from reports.terminal import WIDEST, Style
from reports.wrapping import bounded, columns
from suites.plugin.waits import Waits

LETTERS: dict[Outcome, str] = {
    "passed": ".",
    "failed": "F",
    "error": "E",
    "blocked": "b",
    "skipped": "s",
}
CLEAR_REST = "\x1b[K"
_STATUS = 48
_NO_LIMIT = 1000
_EACH_SECONDS = 1.0
_LOG_SECONDS = 10.0


class Display:
    """Writes to what was standard output before pytest began to capture it; thread-safe.

    On a terminal the last line shows what is waited for, anew each second. It is written over with
    carriage returns: the cursor is never hidden, and whatever ends the run leaves nothing behind.
    Elsewhere each change before the run's heading is a line of standard error, with the time, and
    from then on there is one each ten seconds: the first line of the output stays the heading, and
    a log shows why it takes long.
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
        self._waits = Waits()
        self._logged, self._logged_at = "", time.monotonic()
        self._closing = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="pgtls-display", daemon=True)
        dumb = os.environ.get("TERM", "dumb") in {"", "dumb"}
        self._live = self._out.isatty() and not dumb

    @property
    def style(self) -> Style:
        """Width and colours, as the terminal has them."""
        colour = self._live and not os.environ.get("NO_COLOR")
        bounds = self._out.bounded()
        return Style(width=self._out.columns(), colour=colour, breaks=bounds)

    def head(self, text: str) -> None:
        """Write the run's heading."""
        with self._lock:
            self._headed = True
            self._waits.idle()
            self.tell(text)

    def say(self, text: str) -> None:
        """Write whole lines."""
        with self._lock:
            self._end_line()
            self._out.write(text if text.endswith("\n") else text + "\n")

    def tell(self, text: str) -> None:
        """Write a sentence, wrapped where there is a terminal."""
        if self._out.bounded():
            text = "\n".join(self.style.wrapped(text, "", "  "))
        self.say(text)

    def check(self, chapter: str, outcome: Outcome, ids: str, name: str, seconds: float) -> None:
        """Show that a check ended."""
        if self._verbose:
            self.say(f"{outcome:<8} {ids}  {name}  {seconds:.2f} s")
            return
        with self._lock:
            if chapter != self._chapter or self._width >= self._room():
                self._end_line()
                self._chapter, self._line = chapter, f"{chapter:<9} "
                self._width = len(self._line)
                self._out.write(self._line)
            letter = self.style.paint(LETTERS[outcome], outcome)
            self._line += letter
            self._width += 1  # colours take no room
            self._out.write(f"\r{self._line}{CLEAR_REST}" if self._live else letter)

    def progress(self, text: str) -> None:
        """Show what the run is doing."""
        with self._lock:
            self._waits.doing(text)
            self._show()

    def awaits(self, who: str, awaited: Awaited | None) -> None:
        """Show what a scenario, or with no name the run, waits for."""
        with self._lock:
            self._waits.awaits(who, awaited)
            self._show()

    def close(self) -> None:
        """End the line and let go of the terminal."""
        self._closing.set()
        with self._lock:
            self._end_line()
            self._out.close()
            self._err.close()

    def _room(self) -> int:
        """Columns for letters: beside them there is room for what is waited for."""
        return max(self.style.width - _STATUS, _STATUS // 2) if self._live else self.style.width

    def _show(self) -> None:
        if self._closing.is_set():
            return
        if self._ticker.ident is None:
            self._ticker.start()
        if self._live:
            room = self.style.width - self._width - 3
            self._out.write(f"\r{self._line}  {self._waits.line(room)}{CLEAR_REST}")
        elif not self._headed and self._waits.text() not in {"", self._logged}:
            self._log()

    def _log(self) -> None:
        """Write what is waited for as a line of its own."""
        if line := self._waits.line(_NO_LIMIT):
            self._end_line()
            self._err.write(f"{time.strftime('%H:%M:%S')} {line}\n")
            self._logged, self._logged_at = self._waits.text(), time.monotonic()

    def _tick(self) -> None:
        while not self._closing.wait(_EACH_SECONDS):
            with self._lock:
                if self._live:
                    self._show()
                elif time.monotonic() - self._logged_at >= _LOG_SECONDS:
                    self._log()

    def _end_line(self) -> None:
        if self._line:
            self._out.write(f"\r{self._line}{CLEAR_REST}\n" if self._live else "\n")
        elif self._live:
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
        return columns(self._copy, most=WIDEST)

    def bounded(self) -> bool:
        return bounded(self._copy)

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
