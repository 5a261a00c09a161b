"""Several versions of the operator: a run of each, and their verdicts beside each other."""

from pathlib import Path

from reports.renderers import run_json
from tests.suites.example import KEPT, Example

BOTH = ("--operator-version", "2.8.0", "--operator-version=2.9.0")
KEPT_BY_THE_FIRST = '''
@requirement("AUTO-1")
def test_kept_by_the_first(request):
    """Kept by one of two."""
    version = request.config.getoption("pgtls_operator_version")
    expect(version == ["2.8.0"], where="Pod a", promised="TLS", seen="plain", look_at="line 9")
'''


def test_each_version_has_a_run_and_a_report_of_its_own(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT_BY_THE_FIRST).run(*BOTH, "--requirement", "AUTO-1")
    assert ended.code == 1, ended.out + ended.err
    table = [line.split() for line in ended.out.splitlines()[-5:]]
    assert table[0] == ["version", "2.8.0", "2.9.0"]
    assert table[1] == ["result", "passed", "failed"]
    assert table[2] == ["AUTO-1", "passed", "failed"]
    assert ended.out.endswith("2 versions, 1 requirement, 1 with verdicts that differ\n")
    for version, result in {"2.8.0": "passed", "2.9.0": "failed"}.items():
        run = run_json.read(tmp_path / "report" / version / "run.json")
        assert run.result == result
        assert f"--operator-version={version}" in run.command
    assert not (tmp_path / "report/run.json").exists()


def test_versions_may_stand_in_the_environment_and_beside_a_selection(tmp_path: Path) -> None:
    env = {"PGTLS_OPERATOR_VERSION": "2.8.0 2.9.0"}
    words = ("--report-dir", str(tmp_path / "mine"), "checks/test_example.py::test_kept")
    ended = Example.make(tmp_path, KEPT).run(*words, env=env)
    assert ended.code == 0, ended.out + ended.err
    assert sorted(each.name for each in (tmp_path / "mine").iterdir()) == ["2.8.0", "2.9.0"]


def test_a_version_that_is_refused_has_no_report_to_show(tmp_path: Path) -> None:
    start = (
        "from fixtures.run.usage import UsageError\n"
        "    if config.getoption('pgtls_operator_version') == ['../x']:\n"
        "        raise UsageError('no such release')"
    )
    example = Example.make(tmp_path, KEPT, start=start)
    ended = example.run("--operator-version", "../x", "--operator-version", "2.9.0")
    assert ended.code == 4
    assert "no such release" in ended.err
    assert "result   no report  " in ended.out, ended.out
    assert not (tmp_path / "x").exists()
    assert (tmp_path / "report/2.9.0/run.json").is_file()


def test_a_version_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, KEPT).run("--operator-version=2.9.0,2.9.0")
    assert ended.code == 4
    assert "--operator-version: a version stands there twice; name each once." in ended.err
    assert ended.platform == []


def test_a_signal_ends_the_run_that_goes_on_and_begins_no_other(tmp_path: Path) -> None:
    start = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
    ended = Example.make(tmp_path, KEPT, start=start).run(*BOTH)
    assert ended.code == 2, ended.out + ended.err
    run = run_json.read(tmp_path / "report/2.8.0/run.json")
    assert run.interrupted == "SIGTERM"
    assert not (tmp_path / "report/2.9.0").exists()
    assert ended.platform == ["up", "down"]
