"""The terminal, written to from any thread, and from a signal's handler."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from reports.wrapping import cells
from suites.plugin.display import Display
from tests.suites.example import ROOT
from tests.terminals import read_to_end

SILENCE_SECONDS = 20.0
LIMIT_SECONDS = 60.0

INTERRUPTED = """
import signal
from suites.plugin.display import Display
from suites.plugin.signals import StopHandler

display = Display(verbose=False)
stop = StopHandler(display.say)
stop.cleaning = True
signal.signal(signal.SIGINT, stop)
open("ready", "w").close()
display.say("x" * 1_000_000)
display.close()
display.say("late")
display.progress("late")
open("ended", "w").close()
"""


def test_ctrl_c_while_a_line_is_being_written_does_no_harm(tmp_path: Path) -> None:
    """A pipe that is full holds the writer in the middle of its line when the signal comes."""
    os.mkfifo(tmp_path / "ready")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert (tmp_path / "ready").read_text() == ""
    assert process.stdout is not None
    begun = os.read(process.stdout.fileno(), 1000)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    output = begun + rest
    assert errors == b""
    assert process.returncode == 0
    assert (tmp_path / "ended").exists()
    assert output.count(b"x") == 1_000_000
    assert b"Ctrl-C: still removing what the run created; please wait" in output
    assert b"late" not in output


COLOURED = """
from suites.plugin.display import Display

display = Display(verbose=False)
for _ in range(12):
    display.check("AUTO", "passed", "AUTO-1", "check", 0.1)
display.progress("waiting for stage deployed of scenario generated")
display.close()
"""


def test_what_is_waited_for_has_the_room_that_is_left_of_the_line(tmp_path: Path) -> None:
    """Colours take none of it."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    subprocess.run(
        [sys.executable, "-c", COLOURED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    output = read_to_end(ours)
    os.close(ours)
    assert b"\x1b[32m.\x1b[0m" in output
    assert b"  waiting for stage deployed of scenario generated" in output


WAITING = """
import sys
import time
from fixtures.run.awaiting import Awaited
from suites.plugin.display import Display

display = Display(verbose=False)
now = time.monotonic()
display.progress("installing the operator")
display.head("platform none, subject nobody")
for name in ("generated", "custom"):
    text = "stage deployed: the cluster is ready: \\x1b[2J証明書 2 of 3 Pods"
    display.awaits(name, Awaited(text=text, began=now - 12, ends=now + 900))
for _ in range(60):
    display.check("TLSONLY", "passed", "TLSONLY-1", "check", 0.1)
    display.awaits("custom", Awaited(text="stage updated", began=now - 75))
sys.stdin.read()
display.tell("word " * 60)
display.close()
"""


@contextlib.contextmanager
def watched(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a program that has not ended within a minute, so that reading from it ends, too."""
    guard = threading.Timer(LIMIT_SECONDS, process.kill)
    guard.start()
    try:
        yield
    finally:
        guard.cancel()


def on_terminal(
    directory: Path,
    columns: int,
    text: str,
    *,
    until: Callable[[bytes], bool] = lambda _: True,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Return all that a program writes to a terminal of so many columns.

    Its input ends when `until` holds of what it wrote so far, or it wrote nothing for a while.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=directory,
        env={"PYTHONPATH": str(ROOT), "TERM": "xterm"} | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    assert process.stdin
    output = b""
    with contextlib.suppress(OSError):  # the end of a terminal whose other side is closed
        while True:
            silent = not select.select([ours], [], [], SILENCE_SECONDS)[0]
            chunk = b"" if silent else os.read(ours, 10_000)
            output += chunk
            if not (chunk or silent):
                break
            if until(output) or silent:
                process.stdin.close()
    os.close(ours)
    assert process.wait(60) == 0, output
    return output


def _drawn_twice(drawn: list[bytes]) -> bool:
    return len(drawn) > 1 and b"stage updated" in drawn[-1] and drawn[-1] == drawn[-2]


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_what_is_waited_for_is_said_with_how_long_and_until_when(
    tmp_path: Path, columns: int
) -> None:
    counts = re.compile(rb"\(1 min \d\d s, \+1\)")
    output = on_terminal(
        tmp_path,
        columns,
        WAITING,
        # A narrow one has no room for the count, so that the same is drawn again.
        until=lambda seen: (
            len({*counts.findall(seen)}) > 1 or (columns < 80 and _drawn_twice(seen.split(b"\r")))
        ),
    ).decode()
    plain = re.sub(r"\x1b\[[0-9;]*[mK]", "", output)
    assert "\x1b" not in plain
    drawn = [part for line in plain.split("\n") for part in line.split("\r")]
    assert all(cells(line) <= columns for line in drawn)
    shown = [line for line in drawn if "generated" in line or "custom" in line]
    if columns >= 80:
        assert any(re.search(r"1\d s, until \d\d:\d\d:\d\d, \+1\)$", line) for line in shown)
        counted = {match for line in shown for match in re.findall(r"\(1 min \d\d s, \+1\)", line)}
        assert len(counted) > 1, "it counts on by itself"
    assert "\x1b[?25l" not in output


@pytest.mark.parametrize(
    "environment", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}], ids=str
)
def test_a_terminal_gets_no_more_than_it_can_show(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    output = on_terminal(tmp_path, 80, WAITING, environment=environment)
    assert b"\x1b[32m" not in output
    assert (b"\x1b" in output) == (environment["TERM"] != "dumb")
    assert all(len(line) <= 80 for line in output.split(b"\r\n")[-5:])


def test_a_log_has_a_line_each_ten_seconds_with_the_time(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    with watched(process):
        first, second = (process.stderr.readline().rstrip("\n") for _ in range(2))
        out, rest = process.communicate()
    assert (process.returncode, rest) == (0, "")
    assert re.fullmatch(r"\d\d:\d\d:\d\d installing the operator \(0 s\)", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d custom: stage updated \(1 min [2-5]\d s, \+1\)", second)
    assert out.startswith("platform none, subject nobody\nTLSONLY   ..........")


def test_a_scenario_that_ends_late_may_still_say_so(capfd: pytest.CaptureFixture[str]) -> None:
    display = Display(verbose=False)
    display.say("in time")
    display.close()
    display.close()
    display.say("late")
    display.progress("late")
    assert capfd.readouterr().out == "in time\n"
