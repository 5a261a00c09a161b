"""bootstrap on machines that lack something: one line says what, and nothing is half done."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = ("sh", "cat", "cksum", "dirname", "env", "id", "mktemp", "readlink", "rm", "sleep", "tail")


@dataclass(frozen=True)
class Machine:
    """A checkout, and a PATH on which only some programs are."""

    checkout: Path
    programs: Path

    def add(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def bootstrap(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {"PATH": str(self.programs), "HOME": str(self.checkout), **environment}
        return subprocess.run(
            [str(self.checkout / "bootstrap"), *words],
            env=kept,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def called(self, name: str) -> list[str]:
        log = self.checkout / f"{name}.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """bash is not there, nor apt, nor bubblewrap; Python is, and tox has been set up before."""
    checkout, programs = tmp_path / "checkout", tmp_path / "bin"
    (checkout / "requirements").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(ROOT / "bootstrap", checkout)
    shutil.copy(ROOT / "tox.ini", checkout)
    locked = checkout / "requirements/bootstrap.txt"
    locked.write_text("tox==4\n")
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None, name
        (programs / name).symlink_to(found)
    (programs / "python3").symlink_to(os.path.realpath(sys.executable))
    made = Machine(checkout, programs)
    (checkout / ".venv/bin").mkdir(parents=True)
    tox = checkout / ".venv/bin/tox"
    tox.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >{checkout}/tox.log\n')
    tox.chmod(0o755)
    stamp = subprocess.run(
        f'printf "%s %s" "$({programs}/python3 -c "import sys; print(sys.executable)")"'
        f' "$(cksum <{locked})"',
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (checkout / ".venv/.bootstrap").write_text(f"{stamp}\n")
    return made


def test_without_apt_the_missing_programs_are_named_in_one_line(machine: Machine) -> None:
    ended = machine.bootstrap("conformance")
    assert ended.returncode == 4
    (line,) = ended.stderr.splitlines()
    assert "bwrap" in line
    assert "mmdebstrap" in line
    assert machine.called("tox") == []


@pytest.mark.parametrize(
    "options",
    [
        ("--platform", "kind"),
        ("--platform=kubeconfig", "--kube-context", "c"),
        ("--platform", "incluster"),
        ("--list",),
        ("--explain", "AUTO-1"),
        ("--sweep",),
    ],
)
def test_what_needs_no_box_needs_none_of_its_programs(
    machine: Machine, options: tuple[str, ...]
) -> None:
    ended = machine.bootstrap("conformance", "--", *options)
    assert ended.returncode == 0, ended.stderr
    assert machine.called("tox") == [" ".join(("-e conformance --", *options))]


def test_the_platform_may_be_named_in_the_environment(machine: Machine) -> None:
    assert machine.bootstrap("conformance", PGTLS_PLATFORM="kubeconfig").returncode == 0


def test_where_docker_answers_and_kind_is_there_the_box_is_not_needed(machine: Machine) -> None:
    machine.add("kind", "exit 0")
    machine.add("docker", "exit 0")
    assert machine.bootstrap("conformance").returncode == 0


def test_only_what_is_missing_is_installed_and_said(machine: Machine) -> None:
    machine.add("bwrap", "exit 0")
    machine.add("apt-get", f'printf "%s\\n" "$*" >>{machine.checkout}/apt.log')
    machine.add("sudo", 'exec "$@"')
    ended = machine.bootstrap("conformance")
    assert ended.returncode == 0, ended.stderr
    assert "mmdebstrap" in ended.stderr
    assert "bubblewrap" not in ended.stderr
    waits = "-o DPkg::Lock::Timeout=300"
    assert machine.called("apt") == [
        f"{waits} update",
        f"{waits} install -y --no-install-recommends mmdebstrap",
    ]
    assert machine.called("tox") == ["-e conformance --"]


def test_an_apt_that_fails_is_shown_and_ends_it(machine: Machine) -> None:
    machine.add("apt-get", "echo E: no space left on device; exit 100")
    machine.add("sudo", 'exec "$@"')
    ended = machine.bootstrap("test")
    assert ended.returncode == 4
    assert "no space left on device" in ended.stderr
    assert machine.called("tox") == []


LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"


def test_an_apt_that_works_already_is_waited_for(machine: Machine) -> None:
    """As on a machine that has just been started; for the lists' lock apt itself does not wait."""
    busy = machine.checkout / "busy"
    busy.write_text("")
    log = machine.checkout / "apt.log"
    script = (
        f'printf "%s\n" "$*" >>{log}\n[ -e {busy} ] || exit 0\nrm {busy}\necho "{LOCKED}" >&2\n'
    )
    machine.add("apt-get", f"{script}exit 100")
    machine.add("sudo", 'exec "$@"')
    ended = machine.bootstrap("conformance")
    assert ended.returncode == 0, ended.stderr
    assert "waiting for it" in ended.stderr
    assert [line.split()[2] for line in machine.called("apt")] == ["update", "update", "install"]


def test_it_may_be_called_through_a_link_from_another_folder(
    machine: Machine, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(machine.checkout / "bootstrap")
    tox = machine.checkout / ".venv/bin/tox"
    tox.write_text(f'#!/bin/sh\necho "$PWD $PGTLS_CALLED_FROM" >{machine.checkout}/tox.log\n')
    ended = subprocess.run(
        ["./link", "lint"],
        cwd=elsewhere,
        env={"PATH": str(machine.programs), "HOME": str(machine.checkout)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert machine.called("tox") == [f"{machine.checkout} {elsewhere}"]


@pytest.mark.parametrize("words", [("nonsense",), ("lint", "nonsense"), ("lint,nonsense",)])
def test_an_environment_that_there_is_not_is_refused_and_the_others_named(
    machine: Machine, words: tuple[str, ...]
) -> None:
    ended = machine.bootstrap(*words)
    assert ended.returncode == 4
    (line,) = ended.stderr.splitlines()
    assert "nonsense: no such environment; choose from conformance test lint" in line
    assert machine.called("tox") == []


def test_several_environments_and_options_reach_tox(machine: Machine) -> None:
    ended = machine.bootstrap("lint", "types", "--", "-x", "a b")
    assert ended.returncode == 0
    assert machine.called("tox") == ["-e lint,types -- -x a b"]


@pytest.mark.parametrize("words", [(), ("--platform", "kind")])
def test_wrong_use_says_how_to_use_it(machine: Machine, words: tuple[str, ...]) -> None:
    ended = machine.bootstrap(*words)
    assert ended.returncode == 4
    assert "./bootstrap" in ended.stderr
    assert machine.called("tox") == []


def test_a_python_that_does_not_fit_is_passed_over(machine: Machine) -> None:
    (machine.programs / "python3").rename(machine.programs / "python3.12")
    stamp = machine.checkout / ".venv/.bootstrap"
    stamp.write_text(stamp.read_text().replace("/python3 ", "/python3.12 "))
    machine.add("python3", "exit 1")
    ended = machine.bootstrap("lint")
    assert ended.returncode == 0, ended.stderr
    assert machine.called("tox") == ["-e lint --"]
