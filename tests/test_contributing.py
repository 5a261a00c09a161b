"""The page for contributors is true: paths exist, and hooks, CI and issue forms are as said."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
_PATH = re.compile(r"`((?:[\w.]+/)+[\w.]*|[\w.]+\.(?:yaml|toml|md))`")


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_a_page_names_paths_that_exist(page: str) -> None:
    """Files and folders in backticks; those of a report or a build are made by commands."""
    made = ("report/", "evidence/", "dist/", "conformance.toml")
    named = {path for path in _PATH.findall((ROOT / page).read_text()) if not path.startswith(made)}
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "README.md", "docs/architecture.md", "docs/operator.md"]
)
def test_a_page_links_what_exists(page: str) -> None:
    """Links within the repository, from the page's own folder."""
    targets = re.findall(r"\]\(([^):#]+)\)", (ROOT / page).read_text())
    assert targets
    assert [each for each in targets if not ((ROOT / page).parent / each).exists()] == []


def test_hooks_run_the_commands_of_tox() -> None:
    """So a commit that the hooks let through is not refused for its form in CI."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for environment in ("lint", "types"):
        runs = f"exec -qq -e {environment} -- "
        mine = [hook["entry"].partition(runs)[2] for hook in hooks if runs in hook["entry"]]
        commands = tox[f"testenv:{environment}"]["commands"].strip().splitlines()
        wanted = [command.removesuffix(" {posargs}").removesuffix(" .") for command in commands]
        assert [words.removesuffix(" --force-exclude") for words in mine] == wanted


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_an_issue_about_a_run_asks_for_its_run_json(template: Path) -> None:
    """A verdict can be followed from run.json alone."""
    form = yaml.safe_load(template.read_text())
    if template.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    asked = {field["id"]: field["attributes"] for field in form["body"]}
    assert "run.json" in asked["report"]["description"]


def test_the_workflow_runs_what_ci_runs() -> None:
    """One list of jobs, `.ci/run`, and the report is kept whatever they said."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["ci"]["steps"]
    assert "bash .ci/run" in [step.get("run") for step in steps]
    assert [step["with"]["path"] for step in steps if step.get("if") == "always()"] == ["report"]


@pytest.mark.parametrize("workflow", [".github/workflows/ci.yml", "examples/nightly.yml"])
def test_a_workflow_may_only_read_and_takes_actions_by_their_commit(workflow: str) -> None:
    """A tag can be moved to other code; the version stands behind the commit, for people."""
    text = (ROOT / workflow).read_text()
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (.*)", text)
    assert used
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")
    assert [action for action in used if not pinned.fullmatch(action)] == []
