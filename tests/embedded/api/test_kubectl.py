"""The commands of the documentation, with the real kubectl."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.embedded.api.definitions import CRDS, definition
from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import Raw

Paths = Callable[..., str]
_GROUP = "pg.example.com"
_MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
_POD: dict[str, Any] = {
    "metadata": {"name": "p", "labels": {"app": "x"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


@pytest.fixture(scope="module")
def pg(api: Raw) -> str:
    """A kind like the operator's, with its short name and its columns."""
    tls = {"type": "object", "properties": {"tlsOnly": {"type": "boolean"}}}
    columns = [{"name": "Status", "type": "string", "jsonPath": ".status.state"}]
    schema = {
        "type": "object",
        "properties": {
            "spec": tls,
            "status": {"type": "object", "properties": {"state": {"type": "string"}}},
        },
    }
    version = {
        "name": "v2",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": columns,
    }
    names = {"plural": "clusters", "kind": "Cluster", "singular": "cluster", "shortNames": ["pg"]}
    spec = {"group": _GROUP, "scope": "Namespaced", "names": names, "versions": [version]}
    assert api.post(CRDS, {"metadata": {"name": f"clusters.{_GROUP}"}, "spec": spec}).code == 201
    return f"apiVersion: {_GROUP}/v2\nkind: Cluster\nmetadata: {{name: one}}\nspec: {{}}\n"


def test_apply_a_file_and_apply_it_again(kubectl: Kubectl) -> None:
    file = kubectl.home / "a.yaml"
    file.write_text(_MANIFEST)
    assert kubectl("apply", "-f", str(file)) == "configmap/a created\n"
    assert kubectl("apply", "-f", str(file)) == "configmap/a unchanged\n"
    file.write_text(_MANIFEST.replace("'1'", "'2'"))
    assert kubectl("apply", "-f", str(file)) == "configmap/a configured\n"


def test_apply_from_stdin(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=_MANIFEST) == "configmap/a created\n"


def test_apply_server_side(kubectl: Kubectl) -> None:
    arguments = ("apply", "--server-side", "-f", "-")
    assert kubectl(*arguments, stdin=_MANIFEST) == "configmap/a serverside-applied\n"
    refused = kubectl.run(
        *arguments, "--field-manager", "other", stdin=_MANIFEST.replace("'1'", "'2'")
    )
    assert 'conflict with "kubectl"' in refused.stderr


def test_apply_refuses_unknown_fields(kubectl: Kubectl, pg: str) -> None:
    refused = kubectl.run("apply", "-f", "-", stdin=pg.replace("{}", "{customTLSSecret: {}}"))
    assert refused.returncode == 1
    assert 'strict decoding error: unknown field "spec.customTLSSecret"' in refused.stderr


def test_a_definition_is_replaced_by_what_was_got_of_it(kubectl: Kubectl, api: Raw) -> None:
    """Its status, too, which is known to the last name, and stays what it is."""
    name, free = "things.again.example.com", {"type": "object"}
    assert api.post(CRDS, definition("again.example.com", free)).code == 201
    crd = json.loads(kubectl("get", "crd", name, "-o", "json"))
    crd["metadata"]["labels"] = {"edited": "yes"}
    assert kubectl("replace", "-f", "-", stdin=json.dumps(crd)).endswith(f"/{name} replaced\n")
    now = api.get(f"{CRDS}/{name}").body
    assert (now["metadata"]["labels"], now["status"]) == ({"edited": "yes"}, crd["status"])
    now["status"]["storedVersion"] = ["v1"]
    refused = kubectl.run("replace", "-f", "-", stdin=json.dumps(now))
    assert 'strict decoding error: unknown field "status.storedVersion"' in refused.stderr


def test_create_secret(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    file = kubectl.home / "tls.crt"
    file.write_text("certificate")
    made = kubectl(
        *("create", "secret", "generic", "s"),
        *(f"--from-file=ca.crt={file}", "--from-literal=a=b"),
    )
    assert made == "secret/s created\n"
    data = api.get(core("secrets", "s")).body["data"]
    assert data == {"ca.crt": "Y2VydGlmaWNhdGU=", "a": "Yg=="}


def test_create_secret_as_dry_run_and_apply_it(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    text = kubectl(
        *("create", "secret", "generic", "s", "--from-literal=a=b"),
        *("--dry-run=client", "-o", "yaml"),
    )
    assert yaml.safe_load(text)["data"] == {"a": "Yg=="}
    assert api.get(core("secrets", "s")).code == 404
    assert kubectl("apply", "-f", "-", stdin=text) == "secret/s created\n"


def test_create_namespace_and_job(kubectl: Kubectl, api: Raw, namespace: str) -> None:
    kubectl("create", "namespace", f"{namespace}-more")
    kubectl("create", "job", "j", "--image=i:1", "--", "echo", "hello")
    job = api.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/j").body
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == ["echo", "hello"]


def test_create_token(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "robot")
    assert kubectl("create", "token", "robot").count(".") == 2


def test_get_secrets(kubectl: Kubectl) -> None:
    kubectl("create", "secret", "generic", "s", "--from-literal=a=b", "--from-literal=c=d")
    head, row = kubectl("get", "secrets").splitlines()
    assert head.split() == ["NAME", "TYPE", "DATA", "AGE"]
    assert row.split()[:3] == ["s", "Opaque", "2"]


def test_get_secret_as_yaml(kubectl: Kubectl) -> None:
    kubectl("create", "secret", "generic", "s", "--from-literal=a=b")
    found = yaml.safe_load(kubectl("get", "secret", "s", "-o", "yaml"))
    assert (found["kind"], found["data"], found["type"]) == ("Secret", {"a": "Yg=="}, "Opaque")


def test_get_secret_by_jsonpath(kubectl: Kubectl) -> None:
    kubectl("create", "secret", "generic", "s", "--from-literal=tls.crt=b")
    assert kubectl("get", "secret", "s", "-o", r"jsonpath={.data.tls\.crt}") == "Yg=="


def test_get_a_secret_that_is_not_there(kubectl: Kubectl) -> None:
    refused = kubectl.run("get", "secret", "s")
    assert refused.stderr == 'Error from server (NotFound): secrets "s" not found\n'


def test_patch_pg(kubectl: Kubectl, pg: str) -> None:
    kubectl("apply", "-f", "-", stdin=pg)
    change = json.dumps({"spec": {"tlsOnly": True}})
    said = kubectl("patch", "pg", "one", "--type", "merge", "-p", change)
    assert said == f"cluster.{_GROUP}/one patched\n"
    assert kubectl("get", "pg", "one", "-o", "jsonpath={.spec.tlsOnly}") == "true"


def test_get_pg(kubectl: Kubectl, api: Raw, namespace: str, pg: str) -> None:
    kubectl("apply", "-f", "-", stdin=pg)
    path = f"/apis/{_GROUP}/v2/namespaces/{namespace}/clusters/one/status"
    api.patch(path, {"status": {"state": "ready"}})
    head, row = kubectl("get", "pg").splitlines()
    assert (head.split(), row.split()) == (["NAME", "STATUS"], ["one", "ready"])


def test_get_pods(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    api.post(core("pods"), _POD)
    running = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    state = {"name": "c", "ready": True, "restartCount": 2, "state": running}
    api.patch(
        core("pods", "p", "status"), {"status": {"phase": "Running", "containerStatuses": [state]}}
    )
    head, row = kubectl("get", "pods").splitlines()
    assert head.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row.split()[:4] == ["p", "1/1", "Running", "2"]
    assert kubectl("get", "pods", "-l", "app=x", "-o", "name") == "pod/p\n"


@pytest.mark.parametrize(
    ("kind", "heads"),
    [
        ("deployments", "NAME READY UP-TO-DATE AVAILABLE AGE"),
        ("services", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE"),
        ("jobs", "NAME STATUS COMPLETIONS DURATION AGE"),
        ("configmaps", "NAME DATA AGE"),
        ("events", "LAST SEEN TYPE REASON OBJECT MESSAGE"),
    ],
)
def test_get_shows_the_usual_columns(kubectl: Kubectl, kind: str, heads: str) -> None:
    kubectl("create", "deployment", "d", "--image=i")
    kubectl("create", "service", "clusterip", "s", "--tcp=80")
    kubectl("create", "job", "j", "--image=i")
    kubectl("create", "configmap", "c")
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}}
    about = {"involvedObject": {"kind": "Pod", "name": "p"}, "reason": "Why", "message": "text"}
    kubectl("create", "-f", "-", stdin=json.dumps(event | about | {"type": "Normal"}))
    assert kubectl("get", kind).splitlines()[0].split() == heads.split()


def test_wait_for_a_condition(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    api.post(core("pods"), _POD)
    condition = {"type": "Ready", "status": "True"}
    api.patch(core("pods", "p", "status"), {"status": {"conditions": [condition]}})
    assert kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s") == (
        "pod/p condition met\n"
    )


def test_wait_for_a_value_and_for_the_end(kubectl: Kubectl, pg: str) -> None:
    kubectl("apply", "-f", "-", stdin=pg.replace("{}", "{tlsOnly: true}"))
    kubectl("wait", "pg/one", "--for=jsonpath={.spec.tlsOnly}=true", "--timeout=60s")
    kubectl("delete", "pg", "one", "--wait=false")
    kubectl("wait", "pg/one", "--for=delete", "--timeout=60s")


def test_wait_that_does_not_come_true_fails(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    api.post(core("pods"), _POD)
    done = kubectl.run("wait", "--for=condition=Ready", "pod/p", "--timeout=1s")
    assert (done.returncode, done.stderr) == (
        *(1, "error: timed out waiting for the condition on pods/p\n"),
    )


def test_delete(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    kubectl("apply", "-f", "-", stdin=_MANIFEST)
    said = kubectl("delete", "configmap", "a")
    assert said.startswith('configmap "a" deleted')
    assert api.get(core("configmaps", "a")).code == 404


def test_delete_from_a_manifest_and_by_selector(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    kubectl("apply", "-f", "-", stdin=_MANIFEST)
    kubectl("delete", "-f", "-", stdin=_MANIFEST)
    api.post(core("pods"), _POD)
    kubectl("delete", "pods", "-l", "app=x")
    assert api.get(core("pods")).body["items"] == []


def test_scale_and_describe(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "d", "--image=i")
    assert kubectl("scale", "deployment", "d", "--replicas=3") == "deployment.apps/d scaled\n"
    assert "Replicas:               3 desired" in kubectl("describe", "deployment", "d")


def test_labels_and_annotations(kubectl: Kubectl, api: Raw, core: Paths) -> None:
    api.post(core("pods"), _POD)
    kubectl("label", "pod", "p", "app-", "new=1")
    kubectl("annotate", "pod", "p", "a=b")
    meta = api.get(core("pods", "p")).body["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"new": "1"}, {"a": "b"})


def test_who_am_i(kubectl: Kubectl) -> None:
    assert "admin" in kubectl("auth", "whoami")
    assert kubectl("auth", "can-i", "get", "pods") == "yes\n"
