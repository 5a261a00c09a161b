"""Stopped runs: everything is taken down, the report is written, and the exit code is 2."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reports import journal
from reports.verdicts import judge
from tests.suites.example import KEPT, Example, Outcome

# The check says through a pipe that it runs, and then waits for what never comes.
WAITING = '''
import os, threading

@requirement("AUTO-1")
def test_before():
    """Kept."""

@requirement("AUTO-2a")
def test_waiting():
    """Waits."""
    with open(os.environ["RUNNING"], "w") as pipe:
        pipe.write("now")
    threading.Event().wait(60)

@requirement("AUTO-2b")
def test_after():
    """Never reached."""
'''
# None of the function's instructions belongs to a line, as some of any function do.
UNPLACED = '''
import os, signal

def interrupted():
    os.kill(os.getpid(), signal.SIGINT)
    while True:
        pass

code = interrupted.__code__
units = len(code.co_code) // 2
nowhere = bytes(0xF8 | min(units - at, 8) - 1 for at in range(0, units, 8))
interrupted.__code__ = code.replace(co_linetable=nowhere)

@requirement("AUTO-1")
def test_interrupted():
    """Interrupted where no line is."""
    interrupted()
'''
SLOW_STOP = """
    import os, threading
    with open(os.environ["STOPPING"], "w") as pipe:
        pipe.write("now")
    with open(os.environ["GO_ON"]) as pipe:
        pipe.read()
    with LOG.open("a") as log:
        log.write("clean\\n")
"""


@contextmanager
def running(example: Example, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A run that has come as far as the waiting check."""
    pipe = example.directory / "running"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        example.command(*arguments),
        cwd=example.directory,
        env=example.environment({"RUNNING": str(pipe), **env}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert pipe.read_text() == "now"
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], example: Example) -> Outcome:
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, out, err, example.directory)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_signal_ends_the_run_cleanly(tmp_path: Path, number: int, name: str) -> None:
    example = Example.make(tmp_path, WAITING)
    with running(example) as process:
        process.send_signal(number)
        outcome = ended(process, example)
    assert outcome.code == 2, outcome.err
    assert f"interrupted by {name}" in outcome.out
    assert outcome.platform == ["up", "down"]
    assert outcome.run["interrupted"] == name
    assert outcome.run["result"] == "partial"
    assert outcome.verdicts["AUTO-1"] == "passed"
    assert outcome.verdicts["AUTO-2a"] == "not-tested"
    assert outcome.verdicts["AUTO-2b"] == "not-tested"
    assert outcome.err == ""


def test_a_signal_may_come_where_no_line_is(tmp_path: Path) -> None:
    """Python gives such an instruction no line number, and a traceback has none then."""
    outcome = Example.make(tmp_path, UNPLACED).run()
    assert outcome.code == 2, outcome.err
    assert "interrupted by Ctrl-C" in outcome.out
    assert outcome.platform == ["up", "down"]
    assert outcome.err == ""


def test_a_second_signal_does_not_end_the_clean_up(tmp_path: Path) -> None:
    stop = "\n".join(SLOW_STOP.strip("\n").splitlines())
    example = Example.make(tmp_path, WAITING, stop="pass\n" + stop)
    stopping, go_on = tmp_path / "stopping", tmp_path / "go_on"
    os.mkfifo(stopping)
    os.mkfifo(go_on)
    with running(example, STOPPING=str(stopping), GO_ON=str(go_on)) as process:
        process.send_signal(signal.SIGINT)
        assert stopping.read_text() == "now"
        process.send_signal(signal.SIGTERM)
        go_on.write_text("")
        outcome = ended(process, example)
    assert outcome.code == 2
    assert outcome.platform == ["up", "down", "clean"]
    assert "SIGTERM: still removing what the run created" in outcome.out
    assert outcome.run["interrupted"] == "Ctrl-C"


def test_a_killed_run_leaves_a_journal_that_still_renders(tmp_path: Path) -> None:
    example = Example.make(tmp_path, WAITING)
    with running(example) as process:
        process.kill()
        process.wait()
    read = journal.read(tmp_path / "report/journal.jsonl")
    assert read.cut_off
    run = judge(read)
    assert run.cut_off
    verdicts = {row.id: row.verdict for row in run.requirements}
    assert (verdicts["AUTO-1"], verdicts["AUTO-2a"]) == ("passed", "not-tested")
    with pytest.raises(journal.MissingFooter, match="the run was cut off"):
        journal.read(tmp_path / "report/journal.jsonl", whole=True)


def test_under_tox_the_end_of_tox_stops_the_run(tmp_path: Path) -> None:
    """tox dies at once of SIGTERM and leaves pytest running, unless pytest notices."""
    example = Example.make(tmp_path, WAITING)
    pipe, pid = tmp_path / "running", tmp_path / "pid"
    os.mkfifo(pipe)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pathlib, subprocess, sys; p = subprocess.Popen(sys.argv[2:]);"
            " pathlib.Path(sys.argv[1]).write_text(str(p.pid)); p.wait()",
            str(pid),
            *example.command(),
        ],
        cwd=tmp_path,
        env=example.environment({"RUNNING": str(pipe), "TOX_ENV_NAME": "conformance"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert pipe.read_text() == "now"
    parent.kill()
    out, _ = parent.communicate(timeout=60)  # the pipe ends when pytest has ended, too
    outcome = Outcome(2, out, "", tmp_path)
    assert "interrupted by SIGTERM" in out
    assert outcome.platform == ["up", "down"]
    assert outcome.run["interrupted"] == "SIGTERM"


def test_interrupted_while_the_platform_comes_up(tmp_path: Path) -> None:
    start = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    example = Example.make(tmp_path, WAITING, start=start)
    outcome = example.run()
    assert outcome.code == 2
    assert "platform none came up, subject unknown" in outcome.out
    assert outcome.platform == ["up", "down"]
    assert outcome.run["subject"] is None


def test_a_platform_that_does_not_come_up_is_an_error_of_the_run(tmp_path: Path) -> None:
    start = 'raise OSError("the box: unshare: not permitted")'
    outcome = Example.make(tmp_path, WAITING, start=start).run()
    assert outcome.code == 3
    assert "the platform did not come up: OSError: the box: unshare: not permitted" in outcome.out
    assert outcome.platform == ["up", "down"]
    assert outcome.verdicts["AUTO-1"] == "error"
    assert outcome.verdicts["AUTO-3a"] == "not-tested"


def test_a_run_that_did_not_come_up_is_known_by_the_id_on_what_it_made(tmp_path: Path) -> None:
    """All that it made by then carries the id, and somebody has to find it."""
    start = """
    from fixtures.run.hooks import RUN
    (LOG.parent / "made").write_text(config.stash[RUN].labels["pgtls.conformance/run"])
    raise OSError("no more")
    """
    outcome = Example.make(tmp_path, WAITING, start=start.strip()).run()
    made = (tmp_path / "made").read_text()
    assert outcome.run["run"] == made
    assert journal.read(tmp_path / "report/journal.jsonl").header.run == made


def test_a_clean_up_that_fails_is_said_and_takes_the_pass_away(tmp_path: Path) -> None:
    stop = 'raise OSError("namespace conformance-1 is still there")'
    outcome = Example.make(tmp_path, KEPT, stop=stop).run("--requirement", "AUTO-1")
    assert outcome.code == 3
    assert "namespace conformance-1 is still there" in outcome.out
    assert outcome.verdicts == {"AUTO-1": "passed"}


def test_a_report_that_cannot_be_written_costs_the_exit_code_not_the_verdicts(
    tmp_path: Path,
) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report/journal.jsonl").symlink_to("/dev/full")
    outcome = Example.make(tmp_path, KEPT).run("--requirement", "AUTO-1")
    assert outcome.code == 3
    assert "passed of the selection" in outcome.out
    assert "the report could not be written: [Errno 28] No space left on device" in outcome.out
    assert outcome.platform == ["up", "down"]


def test_a_run_goes_on_when_nobody_reads_its_output(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT)
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        example.command("--requirement", "AUTO-1"),
        cwd=tmp_path,
        env=example.environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    outcome = Outcome(process.returncode, "", process.stderr.decode(), tmp_path)
    assert outcome.verdicts == {"AUTO-1": "passed"}
    assert outcome.platform == ["up", "down"]


def test_a_defect_of_the_suite_is_said_and_is_no_verdict(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT)
    with (tmp_path / "conftest.py").open("a") as conftest:
        conftest.write("\ndef pytest_runtest_logfinish():\n    raise KeyError('a defect')\n")
    outcome = example.run()
    assert outcome.code == 3
    assert "ERROR  the suite broke: this is a defect of it" in outcome.out
    assert "KeyError: 'a defect'" in outcome.out
    assert outcome.platform == ["up", "down"]


def test_a_subject_without_a_version_cannot_be_judged(tmp_path: Path) -> None:
    outcome = Example.make(tmp_path, KEPT, version="latest").run()
    assert outcome.code == 3
    assert "'latest' is not a version" in outcome.out
    assert outcome.verdicts["AUTO-1"] == "error"


def test_a_check_that_ends_pytest_has_interrupted_the_run(tmp_path: Path) -> None:
    text = '@requirement("AUTO-1")\ndef test_ends():\n    """Ends."""\n    pytest.exit("enough")\n'
    outcome = Example.make(tmp_path, text).run()
    assert outcome.code == 2
    assert outcome.platform == ["up", "down"]
