"""The journal: written as it happens, read with distrust."""

import threading
from pathlib import Path

import pytest

from reports import journal
from reports.events import CheckFinished, Event, Note
from reports.journal import JournalWriter
from tests.reports import examples as ex

FIRST = ex.header(ex.selected("AUTO-1", "c"))


def written(path: Path, *events: Event | list[Event], footer: bool = True) -> Path:
    made = ex.journal(FIRST, *events, footer=footer)
    with JournalWriter(path, made.header) as writer:
        for event in made.events:
            writer.write(event)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    events: list[Event | list[Event]]
    events = [ex.finished("c", "failed", ex.PLAINTEXT), ex.broke("gone", "tail"), ex.shown("F-1")]
    read = journal.read(written(tmp_path / "j", *events), whole=True)
    assert read == ex.journal(FIRST, *events)
    assert not read.cut_off


def test_every_event_is_on_the_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalWriter(path, FIRST) as writer:
        assert path.read_text().count("\n") == 1
        writer.write(Note(time=1.0, text="up"))
        assert path.read_text().count("\n") == 2


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalWriter(path, FIRST) as writer:

        def write() -> None:
            for number in range(50):
                writer.write(Note(time=1.0, text=f"{number} " + "x" * 5000))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(journal.read(path).events) == 200


def test_every_way_of_cutting_a_journal_off_still_reads(tmp_path: Path) -> None:
    whole = written(tmp_path / "j", ex.finished("c")).read_bytes()
    header_ends = whole.index(b"\n") + 1
    for length in range(header_ends, len(whole)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        assert journal.read(path).cut_off
        with pytest.raises(journal.MissingFooter):
            journal.read(path, whole=True)


def test_without_its_header_it_is_no_journal(tmp_path: Path) -> None:
    path = written(tmp_path / "j", ex.finished("c"))
    lines = path.read_text().splitlines(keepends=True)
    for text in ("", lines[0][:-1], "".join(lines[1:])):
        path.write_text(text)
        with pytest.raises(journal.MissingHeader, match="no journal of a run"):
            journal.read(path)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ([0, 1, 2, 0, 3], journal.DuplicateHeader),
        ([0, 1, 2, 2, 3], journal.DuplicateCheck),
        ([0, 1, 1, 2, 3], journal.DuplicateCheck),
        ([0, 3, 1, 2], journal.AfterFooter),
    ],
)
def test_disorder_has_a_name(
    tmp_path: Path, order: list[int], error: type[journal.JournalError]
) -> None:
    path = written(tmp_path / "j", ex.finished("c"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[number] for number in order))
    with pytest.raises(error, match=str(path)):
        journal.read(path)


@pytest.mark.parametrize("line", ["{}", "[]", "half", '{"event": "party"}', '{"event": "note"}'])
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "j", ex.finished("c"))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, *lines[1:], ""]))
    with pytest.raises(journal.MalformedLine, match="line 2: not an event"):
        journal.read(path)


def test_a_header_whose_settings_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "j")
    path.write_text(path.read_text().replace('"settings":{}', '"settings":{"accept":3}'))
    with pytest.raises(journal.MalformedLine, match=r"line 1: not an event: .*settings"):
        journal.read(path)


def test_text_that_no_file_can_hold_is_spelled_out(tmp_path: Path) -> None:
    path = written(tmp_path / "j", Note(time=1.0, text="\ud800", details={"said": "\ud800"}))
    (note, _) = journal.read(path, whole=True).events
    assert note == Note(time=1.0, text=r"\ud800", details={"said": r"\ud800"})


def test_free_text_is_reworded_and_nothing_else_is() -> None:
    shouted = ex.finished("c", "failed", ex.PLAINTEXT, text="why", evidence=("e",))[1].reworded(
        str.upper
    )
    assert isinstance(shouted, CheckFinished)
    assert (shouted.check, shouted.outcome, shouted.evidence) == ("c", "failed", ("e",))
    assert (shouted.text, shouted.differences[0].where) == ("WHY", ex.PLAINTEXT.where.upper())
    header = ex.header(ex.selected("AUTO-1", "c"), settings={"image": {"a": "b"}, "keep": True})
    assert header.reworded(str.upper).settings == {"image": {"a": "B"}, "keep": True}
    assert header.reworded(str.upper).requirements == header.requirements


def test_a_journal_of_a_newer_suite_is_refused_as_that(tmp_path: Path) -> None:
    path = written(tmp_path / "j")
    newer = path.read_text().replace('"schema_version":2', '"schema_version":3,"new":true')
    path.write_text(newer)
    with pytest.raises(journal.UnknownSchema, match="schema version 3 is newer than 2"):
        journal.read(path)


def test_a_full_disk_is_said_at_the_write(tmp_path: Path) -> None:
    (tmp_path / "j").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        JournalWriter(tmp_path / "j", FIRST)


def test_times_are_written_with_their_zone_and_read_in_every_form(tmp_path: Path) -> None:
    path = written(tmp_path / "j", Note(time=1_700_000_000.25, text="a"))
    assert '"time":"2023-11-14T22:13:20.250000Z"' in path.read_text()
    text = path.read_text()
    for form in ("1700000000.25", '"2023-11-14T23:13:20.25+01:00"'):
        path.write_text(text.replace('"2023-11-14T22:13:20.250000Z"', form))
        assert getattr(journal.read(path).events[0], "time", None) == 1_700_000_000.25
    path.write_text(text.replace("20.250000Z", "20.250000"))
    with pytest.raises(journal.MalformedLine, match="has no zone"):
        journal.read(path)


def test_a_journal_of_the_first_form_is_read(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(
        '{"event":"run-started","schema_version":1,"run":"c0ff","time":1.5,"tool":"0.1.0",'
        '"settings":{},"platform":null,"subject":null,"images":[],"catalogue":"0",'
        '"selection":false,"requirements":[],"known_deviations":[]}\n'
        '{"event":"run-finished","time":2.5}\n'
    )
    found = journal.read(path, whole=True)
    assert (found.header.time, found.header.suite) == (1.5, None)
