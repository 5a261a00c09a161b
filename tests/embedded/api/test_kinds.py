"""Defaults and validation of the built-in kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import STRATEGIC, TABLE, Raw

Paths = Callable[..., str]
_CONTAINER = {"name": "c", "image": "i"}


def secret(**more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, **more}


def test_secret_text_becomes_data(api: Raw, core: Paths) -> None:
    body = api.post(core("secrets"), secret(stringData={"a": "ü"}, data={"b": "Yg=="})).body
    assert (body["type"], body["data"]) == ("Opaque", {"a": "w7w=", "b": "Yg=="})
    assert "stringData" not in body


def test_an_immutable_secret_stays(api: Raw, core: Paths) -> None:
    api.post(core("secrets"), secret(data={"a": "Yg=="}, immutable=True))
    for change in ({"data": {"a": "Yw=="}}, {"immutable": False}):
        answer = api.patch(core("secrets", "s"), change)
        assert answer.code == 422
        assert "field is immutable when `immutable` is set" in answer.message
    labelled = api.patch(core("secrets", "s"), {"metadata": {"labels": {"a": "b"}}})
    assert labelled.code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": {"a": "not base64!"}}, 400),
        ({"data": {"a/b": "Yg=="}}, 422),
        ({"data": {"..": "Yg=="}}, 422),
        ({"data": {"..data": "Yg=="}}, 422),
        ({"type": "kubernetes.io/tls", "data": {"tls.crt": "Yg=="}}, 422),
        ({"type": "kubernetes.io/tls", "data": {"tls.crt": "Yg==", "tls.key": "Yg=="}}, 201),
        pytest.param({"data": {"a": "YmJi" * 400_000}}, 422, id="too large"),
    ],
)
def test_secrets_are_checked(api: Raw, core: Paths, body: dict[str, Any], code: int) -> None:
    assert api.post(core("secrets"), secret(**body)).code == code


def test_the_type_of_a_secret_stays(api: Raw, core: Paths) -> None:
    api.post(core("secrets"), secret())
    assert api.patch(core("secrets", "s"), {"type": "example.com/x"}).code == 422


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [_CONTAINER], **spec}}


def test_pod_defaults(api: Raw, core: Paths) -> None:
    body = api.post(core("pods"), pod(volumes=[{"name": "v", "secret": {"secretName": "s"}}])).body
    spec, container = body["spec"], body["spec"]["containers"][0]
    assert (spec["restartPolicy"], spec["dnsPolicy"]) == ("Always", "ClusterFirst")
    assert (spec["serviceAccountName"], spec["terminationGracePeriodSeconds"]) == ("default", 30)
    assert spec["volumes"][0]["secret"]["defaultMode"] == 0o644
    assert container["imagePullPolicy"] == "Always"
    assert body["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_probe_and_env_defaults(api: Raw, core: Paths) -> None:
    container = {
        **_CONTAINER,
        "image": "r:5000/i:1",
        "readinessProbe": {"httpGet": {"port": 80}},
        "env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {"limits": {"cpu": 1}},
    }
    found = api.post(core("pods"), pod(containers=[container])).body["spec"]["containers"][0]
    assert found["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert found["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert found["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    assert found["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": []},
        {"containers": [_CONTAINER, _CONTAINER]},
        {"containers": [{"name": "c"}]},
        {"restartPolicy": "Sometimes"},
        {"containers": [{**_CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
        {"containers": [{**_CONTAINER, "name": "../c"}]},
        {"volumes": [{"name": "../v", "emptyDir": {}}]},
        {"containers": [{**_CONTAINER, "env": [{"name": "A=B", "value": "c"}]}]},
        {"containers": [{**_CONTAINER, "env": [{"name": "Ä", "value": "c"}]}]},
        {"containers": [{**_CONTAINER, "env": [{"value": "c"}]}]},
        {"containers": [{**_CONTAINER, "envFrom": [{"prefix": "A="}]}]},
    ],
)
def test_pods_are_checked(api: Raw, core: Paths, spec: dict[str, Any]) -> None:
    assert api.post(core("pods"), pod(**spec)).code == 422


def test_a_variable_may_have_any_name_that_a_process_can_be_given(api: Raw, core: Paths) -> None:
    named = {**_CONTAINER, "env": [{"name": "1 odd.name-", "value": "c"}]}
    assert api.post(core("pods"), pod(containers=[named])).code == 201


def volume(kind: str, path: str) -> dict[str, Any]:
    """A volume `v` with one file."""
    if kind == "serviceAccountToken":
        return {"name": "v", "projected": {"sources": [{kind: {"path": path}}]}}
    item: dict[str, Any] = {"key": "k", "path": path}
    if kind == "downwardAPI":
        item = {"path": path, "fieldRef": {"fieldPath": "metadata.name"}}
    return {"name": "v", kind: {"items": [item]}}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../../x", "must not contain '..'"),
        ("a/../../x", "must not contain '..'"),
        ("/x", "must be a relative path"),
        ("..x", "must not start with '..'"),
        ("", "Required value"),
    ],
)
@pytest.mark.parametrize("kind", ["secret", "configMap", "downwardAPI", "serviceAccountToken"])
def test_a_volumes_files_stay_inside_of_it(
    api: Raw, core: Paths, kind: str, path: str, why: str
) -> None:
    refused = api.post(core("pods"), pod(volumes=[volume(kind, path)]))
    assert refused.code == 422
    (cause,) = refused.body["details"]["causes"]
    assert cause["field"].startswith("spec.volumes[0].")
    assert cause["field"].endswith(".path")
    assert cause["message"].endswith(why)
    assert api.post(core("pods"), pod(volumes=[volume(kind, "a..b/..c")])).code == 201


def test_a_workloads_volumes_are_checked_too(api: Raw, namespace: str) -> None:
    body = workload()
    body["spec"]["template"]["spec"] |= {"volumes": [volume("secret", "../x")]}
    refused = api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", body)
    (cause,) = refused.body["details"]["causes"]
    assert cause["field"] == "spec.template.spec.volumes[0].secret.items[0].path"


@pytest.mark.parametrize("path", ["../x", "/x"])
def test_a_sub_path_stays_inside_of_its_volume(api: Raw, core: Paths, path: str) -> None:
    mount = {"name": "v", "mountPath": "/v", "subPath": path}
    containers = [{**_CONTAINER, "volumeMounts": [mount]}]
    refused = api.post(core("pods"), pod(containers=containers, volumes=[{"name": "v"}]))
    (cause,) = refused.body["details"]["causes"]
    assert cause["field"] == "spec.containers[0].volumeMounts[0].subPath"


def test_a_pods_specification_stays_but_for_the_image(api: Raw, core: Paths) -> None:
    api.post(core("pods"), pod())
    path = core("pods", "p")
    image = {"spec": {"containers": [{**_CONTAINER, "image": "j"}]}}
    assert api.patch(path, image, "application/strategic-merge-patch+json").code == 200
    assert api.patch(path, {"spec": {"hostname": "x"}}).code == 422


def test_binding_gives_a_pod_its_node_once(api: Raw, core: Paths) -> None:
    api.post(core("pods"), pod())
    target = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
    assert api.post(core("pods", "p", "binding"), target).code == 201
    bound = api.get(core("pods", "p")).body
    assert bound["spec"]["nodeName"] == "n"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    assert api.post(core("pods", "p", "binding"), target).code == 409
    chosen = api.get(core("pods"), fieldSelector="spec.nodeName=n").body["items"]
    assert [item["metadata"]["name"] for item in chosen] == ["p"]


def workload(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [_CONTAINER]}}
    selector = {"matchLabels": {"a": "b"}}
    return {"metadata": {"name": "w"}, "spec": {"selector": selector, "template": template, **spec}}


def test_deployment_defaults_and_checks(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    spec = api.post(path, workload()).body["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (1, 10)
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    other = {"matchLabels": {"a": "c"}}
    assert api.post(path, workload(selector=other) | {"metadata": {"name": "x"}}).code == 422
    assert api.patch(f"{path}/w", {"spec": {"selector": other}}).code == 422


def test_stateful_set_defaults_and_checks(api: Raw, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    claim = {"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    spec = api.post(path, workload(serviceName="s", volumeClaimTemplates=[claim])).body["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert api.patch(f"{path}/w", {"spec": {"serviceName": "t"}}).code == 422
    assert api.patch(f"{path}/w", {"spec": {"replicas": 2}}).code == 200


def test_a_job_selects_its_own_pods(api: Raw, namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    template = {"spec": {"containers": [_CONTAINER], "restartPolicy": "Never"}}
    body = api.post(path, {"metadata": {"name": "j"}, "spec": {"template": template}}).body
    uid, spec = body["metadata"]["uid"], body["spec"]
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert spec["template"]["metadata"]["labels"]["job-name"] == "j"
    assert (spec["completions"], spec["backoffLimit"]) == (1, 6)
    always = {"spec": {"containers": [_CONTAINER]}}
    refused = api.post(path, {"metadata": {"name": "k"}, "spec": {"template": always}})
    assert refused.code == 422


def test_claims_take_the_default_class_and_stay(api: Raw, core: Paths) -> None:
    marked = {"storageclass.kubernetes.io/is-default-class": "true"}
    body = {"metadata": {"name": "quick", "annotations": marked}, "provisioner": "p"}
    api.post("/apis/storage.k8s.io/v1/storageclasses", body)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = api.post(core("persistentvolumeclaims"), {"metadata": {"name": "c"}, "spec": spec}).body
    assert (claim["spec"]["storageClassName"], claim["status"]["phase"]) == ("quick", "Pending")
    path = core("persistentvolumeclaims", "c")
    assert api.patch(path, {"spec": {"volumeName": "v"}}).code == 200
    assert api.patch(path, {"spec": {"accessModes": ["ReadWriteMany"]}}).code == 422


def test_a_binding_keeps_its_role(api: Raw, namespace: str) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    body = {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}}
    made = api.post(path, body).body
    assert made["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"
    assert api.patch(f"{path}/b", {"roleRef": {"name": "other"}}).code == 422


def test_a_namespace_carries_its_name_as_label(api: Raw, namespace: str) -> None:
    found = api.get(f"/api/v1/namespaces/{namespace}").body
    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": namespace}
    assert (found["status"], found["spec"]) == ({"phase": "Active"}, {"finalizers": ["kubernetes"]})


TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
PATH = {"path": "/", "pathType": "Prefix", "backend": BACKEND}


@pytest.mark.parametrize(
    ("group", "plural", "body", "added"),
    [
        (
            "discovery.k8s.io/v1",
            "endpointslices",
            {
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["10.0.0.1"]}],
                "ports": [{"port": 1}],
            },
            {"ports": [{"port": 1, "name": "", "protocol": "TCP"}]},
        ),
        (
            "networking.k8s.io/v1",
            "ingresses",
            {"spec": {"rules": [{"host": "h", "http": {"paths": [PATH]}}]}},
            {"status": {"loadBalancer": {}}},
        ),
        (
            "networking.k8s.io/v1",
            "networkpolicies",
            {"spec": {"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]}},
            {
                "spec": {
                    "podSelector": {},
                    "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
                    "policyTypes": ["Ingress", "Egress"],
                }
            },
        ),
        (
            "v1",
            "resourcequotas",
            {"spec": {"hard": {"pods": "1000m"}}},
            {"spec": {"hard": {"pods": "1"}}},
        ),
        (
            "v1",
            "limitranges",
            {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
            {
                "spec": {
                    "limits": [
                        {
                            "type": "Container",
                            "max": {"cpu": "1"},
                            "default": {"cpu": "1"},
                            "defaultRequest": {"cpu": "1"},
                        }
                    ]
                }
            },
        ),
        (
            "autoscaling/v2",
            "horizontalpodautoscalers",
            {"spec": {"maxReplicas": 3, "scaleTargetRef": TARGET}},
            {},
        ),
        (
            "apps/v1",
            "daemonsets",
            {
                "spec": {
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"containers": [_CONTAINER]},
                    },
                }
            },
            {},
        ),
    ],
)
def test_further_kinds_are_kept_and_completed(
    api: Raw, namespace: str, group: str, plural: str, body: dict[str, Any], added: dict[str, Any]
) -> None:
    root = f"/api/{group}" if group == "v1" else f"/apis/{group}"
    path = f"{root}/namespaces/{namespace}/{plural}"
    made = api.post(path, {"metadata": {"name": "x"}, **body}, fieldValidation="Strict")
    assert made.code == 201, made.body
    assert {name: made.body[name] for name in added} == added
    assert api("GET", path, accept=TABLE).body["rows"][0]["cells"][0] == "x"
    assert api.patch(f"{path}/x", {"metadata": {"labels": {"a": "b"}}}).code == 200
    again = api.apply(
        f"{path}/x", {"apiVersion": group, "kind": made.body["kind"], **body}, force="true"
    )
    assert again.code == 200, again.body
    assert api.delete(f"{path}/x").code == 200


@pytest.mark.parametrize(
    ("group", "plural", "body", "field"),
    [
        ("discovery.k8s.io/v1", "endpointslices", {"addressType": "X"}, "addressType"),
        ("networking.k8s.io/v1", "ingresses", {"spec": {}}, "spec"),
        (
            "networking.k8s.io/v1",
            "ingresses",
            {"spec": {"rules": [{"http": {"paths": [{"path": "/", "backend": BACKEND}]}}]}},
            "spec.rules[0].http.paths[0].pathType",
        ),
        (
            "autoscaling/v2",
            "horizontalpodautoscalers",
            {"spec": {"minReplicas": 3, "maxReplicas": 2, "scaleTargetRef": TARGET}},
            "spec.maxReplicas",
        ),
        ("v1", "limitranges", {"spec": {"limits": [{"type": "Node"}]}}, "spec.limits[0].type"),
    ],
)
def test_further_kinds_are_checked(
    api: Raw, namespace: str, group: str, plural: str, body: dict[str, Any], field: str
) -> None:
    root = f"/api/{group}" if group == "v1" else f"/apis/{group}"
    answer = api.post(
        f"{root}/namespaces/{namespace}/{plural}", {"metadata": {"name": "x"}, **body}
    )
    assert (answer.code, answer.body["details"]["causes"][0]["field"]) == (422, field)


def test_pods_have_the_priority_of_their_class(api: Raw, core: Paths) -> None:
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    assert api.get(f"{classes}/system-node-critical").body["value"] == 2_000_001_000
    api.post(classes, {"metadata": {"name": "high"}, "value": 7, "preemptionPolicy": "Never"})
    spec = {"containers": [_CONTAINER], "priorityClassName": "high"}
    made = api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec}).body["spec"]
    assert (made["priority"], made["preemptionPolicy"]) == (7, "Never")
    spec["priorityClassName"] = "none"
    refused = api.post(core("pods"), {"metadata": {"name": "q"}, "spec": spec})
    assert (refused.code, "no PriorityClass with name none was found" in refused.message) == (
        403,
        True,
    )
    assert api.patch(f"{classes}/high", {"value": 8}).code == 422
    reserved = api.post(classes, {"metadata": {"name": "system-mine"}, "value": 1})
    assert reserved.code == 422


def test_ephemeral_containers_come_by_their_subresource_alone(api: Raw, core: Paths) -> None:
    debugger = {"name": "debugger", "image": "i", "targetContainerName": "c"}
    spec = {"containers": [_CONTAINER]}
    bad = api.post(
        core("pods"),
        {"metadata": {"name": "p"}, "spec": spec | {"ephemeralContainers": [debugger]}},
    )
    assert bad.code == 422
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec})
    path = core("pods", "p", "ephemeralcontainers")
    change = {"spec": {"ephemeralContainers": [debugger]}}
    added = api.patch(path, change, STRATEGIC)
    assert (added.code, added.body["kind"]) == (200, "Pod")
    (found,) = added.body["spec"]["ephemeralContainers"]
    assert (found["name"], found["imagePullPolicy"]) == ("debugger", "Always")
    assert api.get(path).body["spec"]["ephemeralContainers"] == [found]
    # A writer of the Pod who does not know of it takes nothing away.
    pod = api.get(core("pods", "p")).body
    del pod["spec"]["ephemeralContainers"]
    assert api.put(core("pods", "p"), pod).body["spec"]["ephemeralContainers"] == [found]
    removed = api.put(path, pod | {"spec": {**pod["spec"], "ephemeralContainers": []}})
    assert (removed.code, "may not be changed" in removed.message) == (422, True)
    other = {"name": "c", "image": "i"}
    assert api.patch(path, {"spec": {"ephemeralContainers": [other]}}, STRATEGIC).code == 422
