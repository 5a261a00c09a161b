"""The recipe of the image and the Job that runs it say the same, and ask for what a run needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fixtures.kube import resources
from fixtures.kube.resources import NODES, SERVICEACCOUNTS, Resource
from pg_tls_conformance.cli import USAGE
from tests.packaging.conftest import ROOT

DEPLOY = ROOT / "deploy"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def objects() -> dict[str, Json]:
    """The manifests by kind; there is one of each."""
    text = (DEPLOY / "conformance-job.yaml").read_text()
    return {obj["kind"]: obj for obj in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Json]) -> Json:
    spec: Json = objects["Job"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def container(pod: Json) -> Json:
    (only,) = pod["containers"]
    return dict(only)


@pytest.fixture(scope="module")
def image() -> dict[str, list[str]]:
    """The instructions of the last stage of the image, by name; a line that is continued is one."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    last = text.rpartition("\nFROM ")[2]
    found: dict[str, list[str]] = {}
    for line in last.splitlines()[1:]:
        name, _, rest = line.partition(" ")
        found.setdefault(name, []).append(rest)
    return found


def test_the_job_runs_the_default_command_of_the_image(
    container: Json, image: dict[str, list[str]]
) -> None:
    assert "command" not in container
    assert container["args"] == json.loads(image["CMD"][0])
    assert json.loads(image["ENTRYPOINT"][0]) == ["pg-tls-conformance"]
    assert f"pg-tls-conformance {container['args'][0]} " in USAGE


def test_the_job_is_of_the_user_of_the_image(pod: Json, image: dict[str, list[str]]) -> None:
    security = pod["securityContext"]
    assert image["USER"] == [f"{security['runAsUser']}:{security['runAsGroup']}"]
    assert security["runAsNonRoot"]


def test_whatever_is_written_to_is_a_volume(container: Json, image: dict[str, list[str]]) -> None:
    assert container["securityContext"]["readOnlyRootFilesystem"]
    places = {mount["mountPath"] for mount in container["volumeMounts"]}
    report = container["args"][container["args"].index("--report-dir") + 1]
    assert {report, "/tmp", *image["WORKDIR"]} == places


def test_each_volume_is_declared(pod: Json, container: Json, objects: dict[str, Json]) -> None:
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    claim = volumes["report"]["persistentVolumeClaim"]["claimName"]
    assert claim == objects["PersistentVolumeClaim"]["metadata"]["name"]


def test_the_pods_account_has_the_role(pod: Json, objects: dict[str, Json]) -> None:
    account = objects["ServiceAccount"]["metadata"]
    binding = objects["ClusterRoleBinding"]
    assert pod["serviceAccountName"] == account["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert binding["roleRef"]["name"] == objects["ClusterRole"]["metadata"]["name"]


def test_all_is_in_the_namespace_that_comes_first(objects: dict[str, Json]) -> None:
    assert next(iter(objects)) == "Namespace"
    name = objects["Namespace"]["metadata"]["name"]
    for kind in ("ServiceAccount", "PersistentVolumeClaim", "Job"):
        assert objects[kind]["metadata"]["namespace"] == name


def _kinds() -> Iterator[Resource]:
    for value in vars(resources).values():
        # Nodes are of tests alone; accounts and CRDs are made with a bundle, which the Job has not.
        if isinstance(value, Resource) and value not in {NODES, SERVICEACCOUNTS}:
            yield value


def test_the_role_lets_a_run_see_all_that_it_looks_at(objects: dict[str, Json]) -> None:
    rules = objects["ClusterRole"]["rules"]
    for kind in _kinds():
        verbs = {
            verb
            for rule in rules
            if kind.group in rule["apiGroups"] and kind.plural in rule["resources"]
            for verb in rule["verbs"]
        }
        assert {"get", "list", "watch"} <= verbs, kind


def test_the_image_is_made_of_what_is_locked() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    named = {word for word in text.split() if word.startswith("requirements/") and "." in word}
    assert named == {"requirements/build.txt", "requirements/package.txt"}
    assert all((ROOT / name).is_file() for name in named)
    assert text.count("--require-hashes") == len(named)
