from __future__ import annotations

import asyncio
from typing import Any

import pytest

from embedded.images.model import ImageConfig
from embedded.node.pods.environment import (
    ConfigMissingError,
    argv_of,
    build_environment,
    expand,
    references_in_environment,
)
from embedded.node.pods.fields import PodFacts
from tests.embedded.node.cluster import Shelf, pod, secret

IMAGE = ImageConfig(uid=26, gid=26, env={"PATH": "/bin"}, command=("postgres",))
FACTS = PodFacts(pod_ip="10.244.0.9", host_ip="10.244.0.1")


def built(container: dict[str, Any], shelf: Shelf | None = None) -> dict[str, str]:
    container = {"name": "app"} | container
    return asyncio.run(
        build_environment(pod(containers=[container]), container, IMAGE, FACTS, shelf or Shelf())
    )


def test_a_reference_is_replaced_a_doubled_dollar_and_an_unknown_name_stay() -> None:
    assert expand("$(A)-$$(A)-$(B)-$A", {"A": "1"}) == "1-$(A)-$(B)-$A"


def test_a_variable_may_use_those_before_it_and_the_pods_own_fields() -> None:
    entries = [
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "ROLE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['role']"}}},
        {"name": "URL", "value": "$(IP):5432"},
    ]
    assert built({"env": entries}) == {
        "PATH": "/bin",
        "IP": "10.244.0.9",
        "ROLE": "primary",
        "URL": "10.244.0.9:5432",
    }


def test_a_limit_is_given_in_the_units_asked_for_rounded_up() -> None:
    reference = {"resource": "limits.memory", "divisor": "1Mi"}
    container = {
        "resources": {"limits": {"memory": "1500Ki"}},
        "env": [{"name": "MB", "valueFrom": {"resourceFieldRef": reference}}],
    }
    assert built(container)["MB"] == "2"


def test_whole_objects_are_taken_with_a_prefix_and_single_keys_override_them() -> None:
    shelf = Shelf(secrets={"s": secret(user="app", password="x")})
    container = {
        "envFrom": [{"prefix": "DB_", "secretRef": {"name": "s"}}],
        "env": [{"name": "DB_user", "value": "other"}],
    }
    assert built(container, shelf) == {"PATH": "/bin", "DB_user": "other", "DB_password": "x"}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"name": "gone", "key": "k"}, 'secret "gone" not found'),
        ({"name": "s", "key": "k"}, "couldn't find key k in Secret ns/s"),
    ],
)
def test_what_is_missing_is_named_as_a_kubelet_does(
    reference: dict[str, str], message: str
) -> None:
    shelf = Shelf(secrets={"s": secret(other="1")})
    container = {"env": [{"name": "A", "valueFrom": {"secretKeyRef": reference}}]}
    with pytest.raises(ConfigMissingError, match=message):
        built(container, shelf)


def test_an_optional_source_that_is_missing_leaves_the_variable_out() -> None:
    reference = {"name": "gone", "key": "k", "optional": True}
    entry = {"name": "A", "valueFrom": {"configMapKeyRef": reference}}
    assert built({"env": [entry]}) == {"PATH": "/bin"}


def test_what_the_variables_come_from_can_be_listed() -> None:
    container = {
        "name": "app",
        "envFrom": [{"configMapRef": {"name": "c"}}],
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    }
    found = set(references_in_environment(pod(containers=[container])))
    assert found == {("ConfigMap", "c"), ("Secret", "s")}


def test_the_images_command_runs_only_where_the_container_names_nothing() -> None:
    assert argv_of({}, IMAGE, {}) == ["postgres"]
    assert argv_of({"command": ["sh"], "args": ["-c", "$(A)"]}, IMAGE, {"A": "1"}) == [
        "sh",
        "-c",
        "1",
    ]
