"""What Pods get from their ServiceAccounts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import APPLY, Raw

Paths = Callable[..., str]
_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def made(api: Raw, core: Paths, name: str = "p", **spec: Any) -> dict[str, Any]:
    answer = api.post(core("pods"), body(name, **spec))
    assert answer.code == 201, answer.body
    pod: dict[str, Any] = answer.body
    return pod


def body(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i"}]
    return {"metadata": {"name": name}, "spec": {"containers": containers} | spec}


def account(api: Raw, core: Paths, name: str = "robot", **more: Any) -> None:
    answer = api.post(core("serviceaccounts"), {"metadata": {"name": name}} | more)
    assert answer.code == 201


def wish(value: bool | None) -> dict[str, Any]:
    return {} if value is None else {"automountServiceAccountToken": value}


def test_a_pod_gets_the_default_account_and_its_token(api: Raw, core: Paths) -> None:
    inits = [{"name": "first", "image": "i"}]
    spec = made(api, core, initContainers=inits)["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"]["defaultMode"] == 0o644
    token, authority, fields = volume["projected"]["sources"]
    assert token == {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    assert authority["configMap"]["name"] == "kube-root-ca.crt"
    assert fields["downwardAPI"]["items"][0]["path"] == "namespace"
    mounts = [item["volumeMounts"] for item in spec["initContainers"] + spec["containers"]]
    mount = {"name": volume["name"], "readOnly": True, "mountPath": _MOUNT}
    assert mounts == [[mount], [mount]]


def test_owners_of_fields_are_told_nothing_of_it(api: Raw, core: Paths) -> None:
    (entry,) = made(api, core)["metadata"]["managedFields"]
    owned = entry["fieldsV1"]["f:spec"]
    assert "f:restartPolicy" in owned
    assert not {"f:volumes", "f:serviceAccountName", "f:priority"} & owned.keys()
    assert "f:status" not in entry["fieldsV1"]


def test_a_container_keeps_what_it_has_at_the_path(api: Raw, core: Paths) -> None:
    mount = {"name": "own", "mountPath": _MOUNT}
    containers = [{"name": "c", "image": "i", "volumeMounts": [mount]}]
    volumes = [{"name": "own", "emptyDir": {}}]
    spec = made(api, core, containers=containers, volumes=volumes)["spec"]
    assert [volume["name"] for volume in spec["volumes"]] == ["own"]
    assert spec["containers"][0]["volumeMounts"] == [mount]


@pytest.mark.parametrize(
    ("of_account", "of_pod", "mounted"),
    [(False, None, False), (False, True, True), (True, False, False), (None, False, False)],
)
def test_the_word_of_a_pod_counts_before_that_of_its_account(
    api: Raw, core: Paths, of_account: bool | None, of_pod: bool | None, mounted: bool
) -> None:
    account(api, core, **wish(of_account))
    spec = made(api, core, serviceAccountName="robot", **wish(of_pod))["spec"]
    assert bool(spec.get("volumes")) is mounted


def test_pull_secrets_are_the_accounts_unless_the_pod_has_its_own(api: Raw, core: Paths) -> None:
    account(api, core, imagePullSecrets=[{"name": "registry"}])
    spec = made(api, core, serviceAccountName="robot")["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    own = [{"name": "own"}]
    spec = made(api, core, "q", serviceAccountName="robot", imagePullSecrets=own)["spec"]
    assert spec["imagePullSecrets"] == own


def test_a_pod_of_an_account_that_is_not_there_is_refused(api: Raw, core: Paths) -> None:
    namespace = core().rsplit("/", 1)[-1]
    answer = api.post(core("pods"), body("p", serviceAccountName="none"))
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message == (
        f'pods "p" is forbidden: error looking up service account {namespace}/none: '
        'serviceaccount "none" not found'
    )
    generated = body("", serviceAccountName="none")
    generated["metadata"] = {"generateName": "web-"}
    assert api.post(core("pods"), generated).message.startswith('pods "web-" is forbidden:')
    assert api.get(core("pods")).body["items"] == []


@pytest.mark.parametrize("way", ["create", "apply"])
def test_a_new_namespace_has_a_moment_to_get_its_account(api: Raw, core: Paths, way: str) -> None:
    assert api.delete(core("serviceaccounts", "default")).code == 200
    later = threading.Timer(0.3, account, (api, core, "default"))
    later.start()
    if way == "create":
        answer = api.post(core("pods"), body("p"))
    else:
        applied = {"apiVersion": "v1", "kind": "Pod"} | body("p")
        answer = api("PATCH", core("pods", "p"), applied, kind=APPLY, fieldManager="me")
    later.join()
    assert answer.code == 201
    assert answer.body["spec"]["volumes"]


def test_a_namespace_whose_account_does_not_come_takes_no_pods(api: Raw, core: Paths) -> None:
    assert api.delete(core("serviceaccounts", "default")).code == 200
    answer = api.post(core("pods"), body("p"))
    assert (answer.code, 'serviceaccount "default" not found' in answer.message) == (403, True)
