"""What kubectl does to whole sets of objects: pruning, and moving owners of fields."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import Raw

Paths = Callable[..., str]
_CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
_STATEFUL = yaml.safe_dump(
    {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "serviceName": "db",
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
            "volumeClaimTemplates": [_CLAIM],
        },
    }
)


def config(name: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"set": "one"}},
        }
    )


def test_what_is_no_longer_applied_is_pruned(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    kubectl("apply", "-f", "-", stdin=config("first"))
    said = kubectl("apply", "--prune", "-l", "set=one", "-f", "-", stdin=config("second"))
    assert "configmap/first pruned" in said
    assert api.get(core("configmaps", "first")).code == 404


def test_claims_in_a_stateful_set_have_a_kind(kubectl: Kubectl) -> None:
    """What was got can be written back, and its owners can be moved to server-side apply."""
    kubectl("apply", "-f", "-", stdin=_STATEFUL)
    server_side = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    again = kubectl.run(*server_side, stdin=_STATEFUL)
    assert (again.returncode, again.stderr) == (0, "")
    restarted = kubectl.run("rollout", "restart", "statefulset/db")
    assert (restarted.returncode, restarted.stderr) == (0, "")


def test_a_replication_controller_is_an_object(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    body = {"metadata": {"name": "old"}, "spec": {"template": template}}
    made = api.post(core("replicationcontrollers"), body)
    assert made.code == 201
    assert (made.body["spec"]["selector"], made.body["spec"]["replicas"]) == ({"a": "b"}, 1)
    kubectl("scale", "rc/old", "--replicas=2")
    assert api.get(core("replicationcontrollers", "old")).body["spec"]["replicas"] == 2
    body["spec"] = {"selector": {"x": "y"}, "template": template}
    assert api.post(core("replicationcontrollers"), body).code == 422
