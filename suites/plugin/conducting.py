"""A conformance run, from collection to exit code."""

import gc
import os
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest

from fixtures.run.commandline import command_line
from fixtures.run.evidence import Evidence
from fixtures.run.hooks import EVIDENCE, RECORDER, RUN, SETTINGS, SURROUNDINGS
from fixtures.run.identity import RunIdentity
from fixtures.run.loading import load
from fixtures.run.platform import PlatformError
from fixtures.run.redaction import Redactor
from fixtures.run.settings import Settings
from fixtures.run.surroundings import Surroundings
from fixtures.run.usage import UsageError
from reports import terminal
from reports.events import CheckStarted
from reports.verdicts import INCONCLUSIVE, NOTHING, exit_code_of
from suites import catalogue as catalogues
from suites import index
from suites.breach import Breach
from suites.catalogue import Catalogue
from suites.plugin import checks, options, silence
from suites.plugin.display import Display
from suites.plugin.headers import header
from suites.plugin.outcomes import CheckState, describe_error
from suites.plugin.provenance import suite_at
from suites.plugin.recording import RunRecorder
from suites.plugin.reportdir import clear_older, locked, refuse_foreign, refuse_unwritable
from suites.plugin.selection import (
    Choice,
    Selection,
    all_skipped,
    concerns,
    ids_of,
    listed_findings,
    nothing_left,
    refuse_malformed,
)
from suites.plugin.signals import StopHandler, drop_unplaced_entries, handling_signals
from suites.versions import Version


def conductor(config: pytest.Config) -> "Conductor":
    """Check options, catalogue and report directory; raises UsageError, creates nothing."""
    if any(config.getoption(name, None) for name in ("numprocesses", "tx")):
        raise UsageError("-n: the suite runs its scenarios side by side itself; leave -n out.")
    directory = options.user_directory(config)
    settings = load(options.given(config), os.environ, directory)
    catalogue = catalogues.load()
    choice = Choice.of(catalogue, settings)
    refuse_foreign(settings.report_dir, settings.origin("report_dir"))
    refuse_unwritable(settings.report_dir, settings.origin("report_dir"))
    return Conductor(config, settings, catalogue, choice)


class Conductor:
    """The hooks of pytest that a run is made of, in the order in which they come."""

    def __init__(
        self, config: pytest.Config, settings: Settings, catalogue: Catalogue, choice: Choice
    ) -> None:
        self._config = config
        self._settings = settings
        self._catalogue = catalogue
        self._choice = choice
        self._display = Display(verbose=config.option.verbose > 0)
        self._run = RunIdentity.new()
        self._redactor = Redactor()
        self._redactor.learn_environment(os.environ)
        self._recorder = RunRecorder(settings.report_dir, self._display, self._redactor.text)
        self._stop = StopHandler(self._display.tell)
        self._cleanup = ExitStack()
        self._collected: dict[str, tuple[str, ...]] = {}
        self._uncollected: list[str] = []
        self._showing: dict[str, tuple[str, ...]] = {}
        self._selection: Selection | None = None
        self._left_out = ""
        self._started = 0.0
        self._fill_stash()
        silence.silence(config)
        config.pluginmanager.register(checks, "pgtls-checks")

    def _fill_stash(self) -> None:
        stash = self._config.stash
        stash[SETTINGS] = self._settings
        stash[RECORDER] = self._recorder
        stash[RUN] = self._run
        stash[EVIDENCE] = Evidence(self._settings.report_dir / "evidence", self._redactor)
        stash[checks.RUN] = self._recorder
        stash[checks.CATALOGUE] = self._catalogue

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a module of the suites could not be read."""
        if report.failed:
            self._uncollected.append(f"{report.nodeid}\n{report.longreprtext}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse malformed checks, then leave those that the user chose."""
        with options.usage_errors():
            refuse_malformed(items, self._catalogue)
        self._collected = {item.nodeid: ids_of(item) for item in items}
        self._showing = {item.nodeid: ids_of(item, "finding") for item in items}
        dropped = [item for item in items if not self._takes(item)]
        if dropped:
            self._config.hook.pytest_deselected(items=dropped)
            items[:] = [item for item in items if item not in dropped]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Bring up what is judged, before the first check runs."""
        if session.items and not session.testsfailed:
            # What has been loaded stays: nobody need look for cycles in it again and again.
            gc.freeze()
            self._cleanup.enter_context(handling_signals(self._stop))
            with options.usage_errors(self._redactor.text):
                self._start(session)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Let pytest report it, wherever the signal came."""
        drop_unplaced_entries(excinfo)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Journal a check; one that is interrupted has a start and no end."""
        state = item.stash[checks.STATE] = CheckState()
        self._recorder.write(CheckStarted(time=time.time(), check=item.nodeid))
        result = yield
        if state.trace:
            keep = checks.CheckEvidence(item, self._config.stash[EVIDENCE])
            self._quietly(keep.text, "traceback.txt", state.trace)
        ended = state.finished(item, time.time())
        self._recorder.write(ended)
        if state.broke:
            self._broke(state.broke)
        ids = [id_ for id_ in ids_of(item) if self._choice.takes(id_)] or ["FINDING"]
        chapter = ids[0].partition("-")[0]
        self._display.check(chapter, state.outcome, " ".join(ids), item.name, ended.seconds)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let `each` have the last word: a breach counts, whatever came after it."""
        judged = item.stash[checks.STATE]
        try:
            result = yield
        except Exception as error:
            found = judged.each.breaches if judged.each else []
            if found:
                own = [error] if isinstance(error, Breach) else []
                raise Breach.joined([*found, *own]) from error
            raise
        if judged.each is not None:
            judged.each.conclude()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take in how a phase of a check ended."""
        item.stash[checks.STATE].phase(item, call)
        return (yield)

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Keep that the suite itself broke."""
        self._recorder.broke("the suite broke: this is a defect of it", log=str(excrepr))
        if not self._recorder.open:
            self._display.say(self._redactor.text(str(excrepr)))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, None]:
        """Remove what was created, judge, write the reports and set the exit code."""
        self._stop.cleaning = True
        try:
            yield
        except Exception as error:
            self._broke(describe_error(error, "teardown"))
        if self._started:
            self._stop_platform()
        session.exitstatus = self._conclude(int(exitstatus))
        self._cleanup.close()
        self._display.close()
        # The process is about to end: nobody need look for cycles in all that was observed.
        gc.freeze()

    def _takes(self, item: pytest.Item) -> bool:
        decided = ids_of(item)
        return self._choice.ids is None or any(self._choice.takes(id_) for id_ in decided)

    def _start(self, session: pytest.Session) -> None:
        self._selection = Selection.made(
            self._catalogue,
            self._choice,
            self._collected,
            session.items,
            narrowed=options.narrowed(self._config),
        )
        self._showing = {item.nodeid: self._showing[item.nodeid] for item in session.items}
        self._leave(session, self._selection.wanted)
        if not session.items:
            self._left_out = all_skipped(self._selection.skipped)
            return
        directory = self._settings.report_dir
        self._cleanup.enter_context(locked(directory, self._settings.origin("report_dir")))
        self._started = time.time()
        try:
            found = self._bring_up()
        except UsageError:
            raise
        except KeyboardInterrupt:
            self._begin(None)
            raise
        except Exception as error:
            self._begin(None)
            log = error.log if isinstance(error, PlatformError) else ""
            self._broke(f"the platform did not come up: {describe_error(error)}", log)
            session.items.clear()
            return
        self._leave_out_newer(session, found.subject.version)
        self._begin(found)
        self._config.stash[SURROUNDINGS] = found
        self._leave_applicable(session, found)

    def _bring_up(self) -> Surroundings:
        found: Surroundings | None = self._config.hook.pytest_pgtls_start(config=self._config)
        if found is None:
            raise LookupError("no plugin brings up a platform")
        Version.parse(found.subject.version)
        return found

    def _broke(self, text: str, log: str = "") -> None:
        """Keep that the environment broke; what follows the first line is a log's tail, too."""
        first, _, rest = text.partition("\n")
        self._recorder.broke(first, log="\n".join(part for part in (rest, log) if part))

    def _begin(self, found: Surroundings | None) -> None:
        assert self._selection is not None
        try:
            clear_older(self._settings.report_dir, self._config.stash[EVIDENCE].written)
        except OSError as error:
            self._recorder.unwritten = error
        first = header(
            self._run,
            self._settings,
            self._catalogue,
            self._selection,
            found,
            self._started,
            suite=suite_at(options.suites_folder(self._config).parent),
            command=command_line(sys.argv),
            findings=listed_findings(self._catalogue, self._showing, self._selection),
        )
        self._recorder.begin(first)
        self._display.head(terminal.heading(first.platform, first.subject))
        for line in terminal.images_of(first.subject, first.images):
            self._display.tell(line)

    def _leave_out_newer(self, session: pytest.Session, version: str) -> None:
        """Leave out the checks that are for newer operators alone."""
        assert self._selection is not None
        newer = [item for item in session.items if not concerns(item, version)]
        session.items[:] = [item for item in session.items if item not in newer]
        self._selection = self._selection.without(item.nodeid for item in newer)

    def _leave_applicable(self, session: pytest.Session, found: Surroundings) -> None:
        assert self._selection is not None
        applied = self._selection.applied(self._catalogue, found)
        applicable = frozenset(row.id for row in applied if not row.not_applicable)
        self._leave(session, applicable & self._selection.wanted)

    def _leave(self, session: pytest.Session, judged: frozenset[str]) -> None:
        """Leave the checks that decide one of these requirements, or show findings alone."""
        session.items[:] = [
            item for item in session.items if not ids_of(item) or judged & set(ids_of(item))
        ]

    def _stop_platform(self) -> None:
        try:
            self._config.hook.pytest_pgtls_stop(config=self._config)
        except Exception as error:
            self._broke(describe_error(error, "teardown"))

    def _conclude(self, exitstatus: int) -> int:
        if not self._recorder.open:
            return self._without_run(exitstatus)
        if self._stop.by or exitstatus == pytest.ExitCode.INTERRUPTED:
            self._recorder.interrupted(self._stop.by or "pytest")
        run = self._recorder.conclude()
        unwritten = self._recorder.unwritten
        report = "" if unwritten else str(self._settings.report_dir)
        self._display.say("\n" + terminal.render(run, self._display.style, report).rstrip())
        if unwritten is not None:
            self._display.tell(f"the report could not be written: {unwritten}")
        return exit_code_of(run, written=unwritten is None)

    def _without_run(self, exitstatus: int) -> int:
        """Nothing was judged: say why, unless pytest says it."""
        if self._uncollected:
            self._display.say(self._redactor.text("\n".join(self._uncollected)))
            self._display.tell("inconclusive: the checks above cannot be read")
            return INCONCLUSIVE
        if self._left_out:
            self._display.say(self._left_out)
            return NOTHING
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            checks_there = index.checks(options.suites_folder(self._config))
            decided = frozenset(id_ for check in checks_there for id_ in check.ids)
            self._display.tell(nothing_left(self._catalogue, self._choice, decided))
            return NOTHING
        return exitstatus

    def _quietly(self, write: Any, name: str, text: str) -> None:
        """Evidence of an error that cannot be written costs the exit code, not the verdict."""
        try:
            write(name, text)
        except OSError as error:
            self._recorder.unwritten = self._recorder.unwritten or error
