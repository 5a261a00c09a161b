"""Options: three sources, one order, and one line for each mistake."""

from pathlib import Path

import pytest

from fixtures.run import settings
from fixtures.run.deadlines import DEADLINE_KINDS
from fixtures.run.options import OPTIONS
from fixtures.run.settings import Settings, UsageError


def load(
    directory: Path, toml: str = "", env: dict[str, str] | None = None, **given: object
) -> Settings:
    if toml:
        (directory / "conformance.toml").write_text(toml)
    return settings.load(given, env or {}, directory)


def test_without_options_the_platform_is_found_and_the_report_lies_in_the_project(
    tmp_path: Path,
) -> None:
    chosen = load(tmp_path)
    assert chosen.platform == "auto"
    assert chosen.report_dir == tmp_path / "report"
    assert not chosen.certify


def test_the_command_line_counts_before_the_environment_and_that_before_the_file(
    tmp_path: Path,
) -> None:
    toml = 'platform = "kind"\nparallel = 3\nkeep = true\n'
    env = {"PGTLS_PLATFORM": "embedded", "PGTLS_PARALLEL": "5"}
    chosen = load(tmp_path, toml, env, platform="auto")
    assert (chosen.platform, chosen.parallel, chosen.keep) == ("auto", 5, True)


def test_every_option_can_be_given_in_the_file_and_in_the_environment(tmp_path: Path) -> None:
    values = {
        "platform": "kubeconfig",
        "kube-context": "prod",
        "kubeconfig": "here.yaml",
        "keep": "true",
        "operator": "bundle",
        "operator-bundle": "bundle.yaml",
        "report-dir": "elsewhere",
        "chapter": "AUTO CONN",
        "requirement": "REPL-1",
        "strict-deviations": "yes",
        "certify": "1",
        "accept": "AUTO-2c",
        "parallel": "4",
        "image": "postgres=a:1 client=b:2",
        "deadline": "ready=12 gone=3.5",
    }
    left_out = {"kind-image", "embedded-arguments"}  # they contradict the platform above
    assert set(values) | left_out == {option.name for option in OPTIONS}
    env = {"PGTLS_" + name.upper().replace("-", "_"): value for name, value in values.items()}
    by_env = load(tmp_path, env=env)
    toml = "".join(f'{name} = "{value}"\n' for name, value in values.items() if name != "parallel")
    by_file = load(tmp_path, toml + "parallel = 4\n")
    here = {"report_dir": Path.cwd() / "elsewhere", "kubeconfig": Path.cwd() / "here.yaml"}
    assert by_file.model_copy(update=here) == by_env
    assert by_env.chapter == ("AUTO", "CONN")
    assert by_env.image.client == "b:2"


def test_paths_in_the_file_are_relative_to_it(tmp_path: Path) -> None:
    assert load(tmp_path, 'report-dir = "out"\n').report_dir == tmp_path / "out"


def test_tables_are_tables_in_the_file(tmp_path: Path) -> None:
    chosen = load(tmp_path, "[deadline]\nready = 60\nabsence-window = 0.5\n[image]\nclient = 'c'\n")
    deadlines = chosen.deadlines(embedded=True)
    assert deadlines.ready.seconds == 60
    assert deadlines.absence_window.seconds == 0.5
    assert deadlines.gone.seconds == 30
    assert chosen.image.client == "c"


def test_deadlines_are_short_on_the_embedded_platform_only(tmp_path: Path) -> None:
    chosen = load(tmp_path)
    assert chosen.deadlines(embedded=True).recovered.seconds == 30
    assert chosen.deadlines(embedded=False).recovered.seconds == 1200
    assert all(kind.embedded <= kind.elsewhere for kind in DEADLINE_KINDS)


@pytest.mark.parametrize(
    ("platform", "bundle", "expected"),
    [
        ("embedded", None, "bundle"),
        ("kind", None, "bundle"),
        ("kubeconfig", None, "preinstalled"),
        ("kubeconfig", "bundle.yaml", "bundle"),
    ],
)
def test_a_cluster_that_is_not_ours_has_its_operator(
    tmp_path: Path, platform: str, bundle: str | None, expected: str
) -> None:
    chosen = load(tmp_path, operator_bundle=bundle)
    assert chosen.operator_source(platform) == expected


MISTAKES = {
    "unknown platform": ({"platform": "knd"}, "--platform: unknown platform 'knd'.*'kind'"),
    "no context": ({"platform": "kubeconfig"}, "--platform: .* add --kube-context NAME"),
    "context alone": ({"kube_context": "a"}, "--kube-context: only works with --platform kubecon"),
    "kubeconfig alone": ({"kubeconfig": "a"}, "--kubeconfig: only works with --platform"),
    "kind image": ({"platform": "embedded", "kind_image": "a"}, "--kind-image: .* leave the image"),
    "arguments": ({"platform": "kind", "embedded_arguments": "-a"}, "--embedded-arguments: only"),
    "open quote": ({"embedded_arguments": "'a"}, "--embedded-arguments: .*quot"),
    "nothing there": (
        {"platform": "kind", "operator": "preinstalled"},
        "--operator: nothing is pre",
    ),
    "both": (
        {
            "platform": "kubeconfig",
            "kube_context": "a",
            "operator": "preinstalled",
            "operator_bundle": "b",
        },
        "--operator-bundle: .* give one of the two",
    ),
    "accept": ({"accept": ["AUTO-1"]}, "--accept: .* add --certify"),
    "parallel": ({"parallel": "many"}, "--parallel: 'many' is not a whole number"),
    "no parallel": ({"parallel": "0"}, "--parallel: 0 is out of range"),
    "deadline": ({"deadline": ["redy=3"]}, "--deadline: no deadline is called 'redy'.*'ready'"),
    "seconds": (
        {"deadline": ["ready=soon"]},
        "--deadline: deadline ready is 'soon'; give a number",
    ),
    "no pair": ({"deadline": ["ready"]}, "--deadline: 'ready' is not a pair; write NAME=VALUE"),
    "image": ({"image": ["postgre=x"]}, "--image: no image has the role 'postgre'.*'postgres'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_the_option_and_the_fix(tmp_path: Path, name: str) -> None:
    given, expected = MISTAKES[name]
    with pytest.raises(UsageError, match=expected) as refused:
        load(tmp_path, **given)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("platform = kind\n", r"conformance.toml: not valid TOML: .*line 1, column 12"),
        ('a = 1\nplatform = "kind\n', r"conformance.toml: not valid TOML: .*line 2"),
        ('chapter = [\n  "AUTO",\n', r"conformance.toml: not valid TOML: .*line 3, column 1"),
        ("platform =", r"conformance.toml: not valid TOML: .*line 1, column 11"),
        (
            'platfrom = "kind"\n',
            "conformance.toml: unknown key 'platfrom'; did you mean 'platform'",
        ),
        ("platform = 3\n", "conformance.toml, key platform: 3 is not a text"),
        ('keep = "perhaps"\n', "conformance.toml, key keep: 'perhaps' is neither true nor false"),
        ("chapter = [1]\n", r"conformance.toml, key chapter: \[1\] is not a list of words"),
        ("[deadline]\nredy = 1\n", "conformance.toml, key deadline: no deadline is called 'redy'"),
        ("[image]\nclient = 3\n", "conformance.toml, key image: 3 is not the name of an image"),
    ],
)
def test_a_mistake_in_the_file_names_it_and_the_place(
    tmp_path: Path, toml: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=expected) as refused:
        load(tmp_path, toml)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conformance.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"conformance.toml: cannot be read"):
        load(tmp_path)


def test_a_variable_that_is_nearly_an_option_is_refused_and_a_stranger_is_not(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match=r"PGTLS_PLATFROM: .*'PGTLS_PLATFORM'"):
        load(tmp_path, env={"PGTLS_PLATFROM": "kind"})
    assert load(tmp_path, env={"PGTLS_BUILD_NUMBER": "7"}).platform == "auto"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert load(tmp_path, env={"PGTLS_PLATFORM": "", "PGTLS_KEEP": ""}).platform == "auto"
