"""Wrong use: one line, exit code 4, and nothing is created or started."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.box import modes
from tests.embedded.box.modes import Mode
from tests.suites.example import KEPT, ROOT, Example


def refused(example: Example, *arguments: str, env: dict[str, str] | None = None) -> str:
    """The one line that a run says before it ends with 4."""
    before = sorted(path for path in example.directory.rglob("*") if "__pycache__" not in str(path))
    ended = example.run(*arguments, env=env)
    assert ended.code == 4, ended.out + ended.err
    assert ended.platform == []
    assert ended.out.strip() == ""
    after = sorted(path for path in example.directory.rglob("*") if "__pycache__" not in str(path))
    assert before == after
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    return lines[0].removeprefix("ERROR: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--platform", "knd"], "--platform: unknown platform 'knd'; did you mean 'kind'?"),
        (["--chapter", "AUTOS"], "--chapter: unknown chapter 'AUTOS'; did you mean 'AUTO'?"),
        (["--requirement", "AUTO-2z"], "--requirement: unknown requirement 'AUTO-2z'; did you"),
        (["--certify", "--accept", "X-1"], "--accept: unknown requirement 'X-1'"),
        (["--report-dir", "pytest.ini"], "--report-dir: "),
        (["--report-dir", "/proc/nowhere"], "--report-dir: /proc cannot be written"),
        (["--report-dir", "x" * 300], "--report-dir: "),
        (["--report-dir", "nowhere/" + "x" * 300], "--report-dir: "),
        (["--report-dir", "~nobody-of-that-name/x"], "--report-dir: ~nobody-of-that-name/x begins"),
        (["--chapter="], "--chapter: is empty; give NAME, or leave it out."),
        (["--requirement=,"], "--requirement: is empty; give ID, or leave it out."),
        (["--deadline", "ready=soon"], "--deadline: deadline ready is 'soon'; give a number"),
    ],
)
def test_a_wrong_option_is_refused(tmp_path: Path, arguments: list[str], expected: str) -> None:
    assert refused(Example.make(tmp_path, KEPT), *arguments).startswith(expected)


def test_a_wrong_file_or_variable_is_refused(tmp_path: Path) -> None:
    example = Example.make(tmp_path, KEPT)
    assert "PGTLS_PLATFORM: unknown" in refused(example, env={"PGTLS_PLATFORM": "kin"})
    (tmp_path / "conformance.toml").write_text("platform =\n")
    assert "conformance.toml: not valid TOML" in refused(example)
    (tmp_path / "conformance.toml").write_text('chapters = ["AUTO"]\n')
    assert "unknown key 'chapters'; did you mean 'chapter'?" in refused(example)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("chapter", "TLSONLI", "unknown chapter 'TLSONLI'"),
        ("requirement", "AUTO-2z", "unknown requirement 'AUTO-2z'"),
        ("report-dir", "/proc/nowhere", "/proc cannot be written"),
    ],
)
def test_where_the_wrong_value_was_written_is_said(
    tmp_path: Path, key: str, value: str, expected: str
) -> None:
    example = Example.make(tmp_path, KEPT)
    variable = "PGTLS_" + key.upper().replace("-", "_")
    assert refused(example, env={variable: value}).startswith(f"{variable}: {expected}")
    (tmp_path / "conformance.toml").write_text(f'{key} = "{value}"\n')
    assert refused(example).startswith(f"conformance.toml, key {key}: {expected}")


@pytest.fixture
def home() -> Iterator[Path]:
    """One that an ordinary user can reach, with a folder that is closed to it."""
    made = Path(tempfile.mkdtemp(prefix="pg-tls-test-home-", dir="/var/tmp"))
    closed = made / "closed"
    closed.mkdir(mode=0)
    try:
        modes.give_home(made)
        yield made
    finally:
        closed.chmod(0o700)
        shutil.rmtree(made)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--report-dir={closed}/x"], "--report-dir: {closed}/x cannot be written (Permission den"),
        (
            ["--platform=kubeconfig", "--kube-context=a"],
            "{closed}/kubeconfig: the kubeconfig cannot be read: Permission denied; give another",
        ),
    ],
)
def test_what_is_in_a_closed_folder_is_refused(
    home: Path, arguments: list[str], expected: str
) -> None:
    closed, report = home / "closed", home / "tmp/report"
    command = ["-m", "pytest", "suites", f"--report-dir={report}"]
    command += [word.format(closed=closed) for word in arguments]
    mode = Mode("user", home if os.geteuid() == 0 else None)
    ended = mode.run(command, env={"KUBECONFIG": str(closed / "kubeconfig")}, cwd=ROOT)
    assert ended.returncode == 4, ended.stdout + ended.stderr
    (line,) = [one for one in ended.stderr.splitlines() if one.startswith("ERROR")]
    assert line.removeprefix("ERROR: ").startswith(expected.format(closed=closed))
    assert not report.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KEPT.replace("AUTO-1", "AUTO-1z"), "::test_kept: unknown requirement 'AUTO-1z'; did you"),
        (KEPT.replace("AUTO-1", "auto-1"), "::test_kept: write the id 'auto-1' as the catalogue"),
        (KEPT.replace('    """Kept."""', "    pass"), "::test_kept: says nothing; give the check"),
        ('def test_it():\n    """Text."""\n', "::test_it: decides nothing; mark it with @require"),
        (
            '@finding("FINDING-99")\ndef test_it():\n    """Text."""\n',
            "::test_it: no finding is called 'FINDING-99'",
        ),
    ],
)
def test_a_malformed_check_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refused(Example.make(tmp_path, text))


def test_a_platform_may_refuse_what_it_was_asked_for(tmp_path: Path) -> None:
    start = (
        "from fixtures.run.usage import UsageError; "
        'raise UsageError("kc.yaml: no context a; name one.")'
    )
    ended = Example.make(tmp_path, KEPT, start=start).run()
    assert ended.code == 4
    assert ended.err.strip() == "ERROR: kc.yaml: no context a; name one."
    assert ended.platform == ["up", "down"], "what was begun is taken down"
    assert not (tmp_path / "report").exists()


def test_a_module_that_cannot_be_read_makes_the_run_inconclusive(tmp_path: Path) -> None:
    ended = Example.make(tmp_path, "import nothing_of_that_name\n").run()
    assert ended.code == 3
    assert "nothing_of_that_name" in ended.out
    assert "inconclusive" in ended.out
    assert ended.platform == []


@pytest.mark.parametrize(
    "spread", [["-n", "2"], ["-n", "auto"], ["--dist", "load", "--tx", "popen"]]
)
def test_spreading_checks_over_processes_is_refused_in_one_line(
    tmp_path: Path, spread: list[str]
) -> None:
    assert refused(Example.make(tmp_path, KEPT), *spread) == (
        "-n: the suite runs its scenarios side by side itself; leave -n out."
    )


def pytest_here(*arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest on this repository."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_checks_and_other_tests_do_not_run_together() -> None:
    for arguments in (["."], ["suites", "tests"]):
        ended = pytest_here(*arguments)
        assert ended.returncode == 4
        assert "checks and other tests do not run together" in ended.stderr


def test_other_tests_need_none_of_it_and_load_none_of_it() -> None:
    probe = "import sys; assert not {'pydantic', 'kubernetes', 'reports'} & set(sys.modules)"
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import pytest; pytest.main(['tests/suites/example.py', '-q']); {probe}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


STAND_IN = '#!/bin/sh\necho "$0 $@" >> {log}\nexit 0\n'
"""For kind and docker: both would answer, and what was asked of them is known."""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("bundle.yaml", b"a: [b", "is not valid YAML"),
        ("bundle.yaml", b"kind: Pod\napiVersion: v1\nmetadata: {name: a}\n", "holds no operator"),
        ("bundle.yaml", b"\xff\xfe\x00", "cannot be read"),
        ("other.yaml", b"", "there is no "),
        ("http://127.0.0.1:9/bundle.yaml", b"", "cannot be fetched"),
    ],
)
def test_a_wrong_bundle_is_refused_before_a_cluster_is_made_for_it(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    programs, log = tmp_path / "bin", tmp_path / "asked"
    programs.mkdir()
    for program in ("kind", "docker"):
        (programs / program).write_text(STAND_IN.format(log=log))
        (programs / program).chmod(0o755)
    (tmp_path / "bundle.yaml").write_bytes(content)
    source = name if "://" in name else str(tmp_path / name)
    report = tmp_path / "report"
    options = ["--platform", "kind", "--operator-bundle", source, "--report-dir", str(report)]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "suites", *options],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 4, ended.stdout + ended.stderr
    (line,) = [one for one in ended.stderr.splitlines() if one.startswith("ERROR")]
    assert line.startswith("ERROR: --operator-bundle: ")
    assert source in line
    assert expected in line
    assert ended.stdout.strip() == ""
    assert not log.exists(), "the platform was started"
    assert not report.exists()


def test_a_wrong_bundle_is_refused_by_the_variable_that_named_it(tmp_path: Path) -> None:
    report = tmp_path / "report"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "suites", "--report-dir", str(report)],
        cwd=ROOT,
        env={**os.environ, "PGTLS_OPERATOR_BUNDLE": str(tmp_path / "none.yaml")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert f"ERROR: PGTLS_OPERATOR_BUNDLE: there is no {tmp_path / 'none.yaml'};" in ended.stderr
    assert not report.exists()
