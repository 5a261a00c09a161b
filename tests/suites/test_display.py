"""The terminal, written to from any thread, and from a signal's handler."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from suites.plugin.display import Display
from tests.suites.example import ROOT

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
    output = os.read(ours, 10_000)
    os.close(ours)
    assert b"\x1b[32m.\x1b[0m" in output
    assert b"  waiting for stage deployed of scenario generated" in output


def test_a_scenario_that_ends_late_may_still_say_so(capfd: pytest.CaptureFixture[str]) -> None:
    display = Display(verbose=False)
    display.say("in time")
    display.close()
    display.close()
    display.say("late")
    display.progress("late")
    assert capfd.readouterr().out == "in time\n"
