"""The bundle: named as the contract says, and the same as the sample in deploy/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reference.faults import bundle
from reference.faults.registry import parse
from reference.operator.bundle import objects, render

ROOT = Path(__file__).parents[3]


def test_the_sample_is_the_bundle() -> None:
    made_by = "python -m reference.operator.bundle > deploy/bundle.yaml"
    assert (ROOT / "deploy" / "bundle.yaml").read_text() == render(), f"make it anew: {made_by}"


def test_its_objects_have_the_names_of_the_contract() -> None:
    kinds = {each["kind"]: each["metadata"]["name"] for each in objects()}
    assert kinds.pop("CustomResourceDefinition") == "perconapgclusters.pgv2.percona.com"
    assert set(kinds) >= {"ServiceAccount", "Role", "RoleBinding", "Deployment"}
    assert set(kinds.values()) == {"percona-postgresql-operator"}
    (deployment,) = (each for each in objects() if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["name"] == "operator"
    assert container["image"] == "reference-operator:2.8.0"
    label = {"pgv2.percona.com/control-plane": "postgres-operator"}
    assert deployment["spec"]["selector"]["matchLabels"] == label


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("instances", ["env", "envFrom", "initContainer", "initContainers", "minAvailable"]),
        ("instances", ["tablespaceVolumes", "volumeMounts", "securityContext", "sidecars"]),
        ("pgBouncer", ["env", "envFrom", "minAvailable", "priorityClassName", "securityContext"]),
        ("spec", ["initImage", "initContainer", "clusterServiceDNSSuffix", "tlsOnly"]),
    ],
)
def test_manifests_of_the_operator_are_taken_whole(part: str, fields: list[str]) -> None:
    (crd,) = (each for each in objects() if each["kind"] == "CustomResourceDefinition")
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    parts = {
        "spec": spec,
        "instances": spec["properties"]["instances"]["items"],
        "pgBouncer": spec["properties"]["proxy"]["properties"]["pgBouncer"],
    }
    assert set(fields) <= set(parts[part]["properties"])


def test_faults_stand_in_the_command_of_the_operator() -> None:
    faults = parse("secrets-come-back,node-volume-refresh-never,deletion-never-ends")
    plain, broken = (_container(text) for text in (render(), bundle.render(faults)))
    assert plain["command"] == ["python3", "-m", "reference.operator"]
    assert broken["command"] == [
        "python3",
        "-m",
        "reference.faults.operator",
        "--faults",
        "deletion-never-ends,secrets-come-back",
    ]
    assert plain | {"command": []} == broken | {"command": []}


@pytest.mark.parametrize("names", ["", "node-another-root-file"])
def test_without_faults_of_the_operator_the_bundle_is_its_own(names: str) -> None:
    assert bundle.render(parse(names)) == render()


def _container(text: str) -> dict[str, Any]:
    (deployment,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_the_schema_has_the_fields_where_they_are_and_not_where_the_page_puts_them() -> None:
    (definition,) = (each for each in objects() if each["kind"] == "CustomResourceDefinition")
    (version,) = definition["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert "customTLSSecret" not in spec
    assert set(spec["secrets"]["properties"]) == {
        "customRootCATLSSecret",
        "customTLSSecret",
        "customReplicationTLSSecret",
    }
    columns = [each["name"] for each in version["additionalPrinterColumns"]]
    assert columns == ["Endpoint", "Status", "Postgres", "PGBouncer", "Age"]
