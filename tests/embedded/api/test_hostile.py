"""What no server may keep: every object that is stored can be read by everybody afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from tests.embedded.api.definitions import CRDS
from tests.embedded.api.raw import APPLY, JSON_PATCH, MERGE, TABLE, Raw
from tests.embedded.api.serving import TOKEN, Running

Paths = Callable[..., str]
HALF = b"\\ud83d"


def readable(api: Raw, path: str) -> list[Any]:
    """The objects of a list, which must be there in every form and on a watch."""
    listed = api.get(path)
    assert listed.code == 200, listed.body
    assert api("GET", path, accept=TABLE).code == 200
    assert api("GET", path, accept="application/yaml").code == 200
    items: list[Any] = listed.body["items"]
    for seen, event in zip(items, api.watch(path), strict=False):
        assert event["object"]["metadata"] == seen["metadata"]
    return items


@pytest.mark.parametrize(
    "text",
    [
        b'{"metadata":{"name":"a"},"data":{"k":"%s"}}' % HALF,
        b'{"metadata":{"name":"a"},"data":{"k":"\xed\xa0\xbd"}}',
        b'{"metadata":{"name":"a"},"data":{"k":"\xff"}}',
        b'{"metadata":{"name":"a","annotations":{"n":"%s"}},"data":{"k":"\\ufffd"}}' % HALF,
    ],
    ids=["escaped half", "half in bytes", "no UTF-8", "annotation"],
)
def test_what_is_no_character_becomes_the_replacement(api: Raw, core: Paths, text: bytes) -> None:
    assert api.post(core("configmaps"), text).code == 201
    (found,) = (item for item in readable(api, core("configmaps")) if "data" in item)
    assert set(found["data"]["k"]) == {"\ufffd"}


def test_a_pair_of_halves_is_a_character(api: Raw, core: Paths) -> None:
    body = b'{"metadata":{"name":"a"},"data":{"k":"\\ud83d\\ude00"}}'
    assert api.post(core("configmaps"), body).body["data"] == {"k": "\U0001f600"}


@pytest.mark.parametrize("kind", [MERGE, JSON_PATCH, APPLY])
def test_a_patch_cannot_bring_a_half_in(api: Raw, core: Paths, kind: str) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}, "data": {"k": "v"}})
    bodies = {
        MERGE: b'{"data":{"k":"%s"}}' % HALF,
        JSON_PATCH: b'[{"op":"add","path":"/data/k","value":"%s"}]' % HALF,
        APPLY: b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"%s"}}'
        % HALF,
    }
    query = {"fieldManager": "me"} if kind == APPLY else {}
    assert api("PATCH", core("configmaps", "a"), bodies[kind], kind=kind, **query).code == 200
    assert "\ufffd" in readable(api, core("configmaps"))[-1]["data"].values()


def test_a_half_in_a_custom_object_does_not_break_its_kind(
    api: Raw, crd: Callable[..., str], namespace: str
) -> None:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    path = f"{crd(free)}/namespaces/{namespace}/things"
    body = b'{"metadata":{"name":"a"},"spec":{"%s":["%s"]}}' % (HALF, HALF)
    assert api.post(path, body).code == 201
    assert readable(api, path)[0]["spec"] == {"\ufffd": ["\ufffd"]}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_lacks_are_400(api: Raw, core: Paths, number: str) -> None:
    body = f'{{"metadata":{{"name":"a"}},"data":{{"k":{number}}}}}'.encode()
    assert api.post(core("configmaps"), body).code == 400
    assert api.post(core("pods"), body.replace(b"data", b"spec")).code == 400


@pytest.mark.parametrize(
    "text",
    [
        "data: {k: .nan}",
        "data: {k: .inf}",
        "data: {k: !!binary AAEC}",
        "data: !!set {a, b}",
        "data: {? [a] : b}",
        "data: &a {k: *a}",
        "data: {k: 0x" + "f" * 5000 + "}",
        "\n".join(
            ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
            + [
                f"{b}: &{b} [{','.join(['*' + a] * 10)}]"
                for a, b in zip("abcdefgh", "bcdefghi", strict=True)
            ]
        ),
    ],
    ids=["nan", "inf", "binary", "set", "list as key", "circle", "huge", "laughter"],
)
def test_yaml_that_is_no_json_is_400(api: Raw, core: Paths, text: str) -> None:
    body = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{text}\n".encode()
    assert api("POST", core("configmaps"), body, kind="application/yaml").code == 400
    applied = api("PATCH", core("configmaps", "a"), body, kind=APPLY, fieldManager="me")
    assert applied.code == 400
    assert readable(api, core("configmaps")) == []


@pytest.mark.parametrize("depth", [600, 5_000, 200_000])
def test_deep_nesting_is_kept_whole_or_refused(
    api: Raw, crd: Callable[..., str], namespace: str, depth: int
) -> None:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    path = f"{crd(free)}/namespaces/{namespace}/things"
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    answer = api.post(path, b'{"metadata":{"name":"a"},"spec":%s}' % deep)
    assert answer.code in {201, 400}
    assert len(readable(api, path)) == (answer.code == 201)


def test_what_is_printed_of_a_nonsensical_status_hides_no_other_row(
    api: Raw, namespace: str
) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    for name in ("a", "b"):
        assert (
            api.post(path, {"metadata": {"name": name}, "spec": {"template": template}}).code == 201
        )
    status = {"conditions": [{"status": "True"}]}
    assert api.patch(f"{path}/a/status", {"status": status}).code in {200, 422}
    assert len(readable(api, path)) == 2


@pytest.mark.parametrize("agent", [b"\xff\xfe/1", b"\xed\xa0\x80", b"/", b"x" * 500])
def test_any_user_agent_can_write(server: Running, core: Paths, api: Raw, agent: bytes) -> None:
    headers: Any = {
        "Authorization": f"Bearer {TOKEN}",
        "User-Agent": agent,
        "Content-Type": "application/json",
    }
    with urllib3.PoolManager(ca_certs=str(server.ca), retries=False, timeout=60) as pool:
        url = server.url + core("configmaps")
        answer = pool.request(
            "POST", url, body=b'{"metadata":{"name":"a"},"data":{"k":"v"}}', headers=headers
        )
    assert answer.status == 201, answer.data
    (found,) = readable(api, core("configmaps"))
    assert found["metadata"]["managedFields"][0]["manager"].isprintable()


def test_a_warning_about_any_name_stays_a_header(api: Raw, core: Paths) -> None:
    body = {"metadata": {"name": "a"}, "a\r\nSet-Cookie: x": 1, "ü\ud83d": 2}
    answer = api.post(core("configmaps"), body)
    assert (answer.code, len(readable(api, core("configmaps")))) == (201, 1)
    assert "Set-Cookie" not in answer.headers


def test_urls_and_headers_of_64_kib_pass(server: Running, api: Raw, core: Paths) -> None:
    long = "x" * 65_536
    assert api.get(core("configmaps"), labelSelector=f"a notin ({long})").code == 200
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Long": long}
    with urllib3.PoolManager(ca_certs=str(server.ca), retries=False, timeout=60) as pool:
        answer = pool.request("GET", server.url + core("configmaps"), headers=headers)
    assert answer.status == 200


def test_a_patch_is_bounded_in_operations(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}, "data": {"k": "v"}})
    one = {"op": "add", "path": "/data/k", "value": "w"}
    path = core("configmaps", "a")
    assert api.patch(path, [one] * 10_000, JSON_PATCH).code == 200
    refused = api.patch(path, [{**one, "value": "x"}] * 10_001, JSON_PATCH)
    assert (refused.code, refused.reason) == (413, "RequestEntityTooLarge")
    assert "maximum operations in a JSON patch is 10000, got 10001" in refused.message
    assert api.get(path).body["data"] == {"k": "w"}


def test_a_patch_is_bounded_in_what_it_copies(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}, "data": {"k": "v" * 1000}})
    doubling = [{"op": "copy", "from": "/data", "path": f"/data/k{n}"} for n in range(40)]
    refused = api.patch(core("configmaps", "a"), doubling, JSON_PATCH)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "exceeding the limit" in refused.message


def test_the_systems_namespaces_stay(api: Raw) -> None:
    answer = api.delete("/api/v1/namespaces", dryRun="All")
    assert (answer.code, answer.reason) == (405, "MethodNotAllowed")
    for name in ("default", "kube-system", "kube-public"):
        refused = api.delete(f"/api/v1/namespaces/{name}")
        assert (refused.code, refused.reason) == (403, "Forbidden")
        assert "may not be deleted" in refused.message
        assert "deletionTimestamp" not in api.get(f"/api/v1/namespaces/{name}").body["metadata"]


THINGS = "things.hostile.example.com"
SCHEMA = {"type": "object", "properties": {"spec": {"type": "object"}}}


@pytest.mark.parametrize(
    ("version", "spec"),
    [
        ({"name": None}, {}),
        ({"name": 5}, {}),
        ({"schema": "x"}, {}),
        ({"schema": {"openAPIV3Schema": {"type": "object", "properties": "x"}}}, {}),
        ({"schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": [1]}}}}, {}),
        ({"schema": {"openAPIV3Schema": {"type": ["object"]}}}, {}),
        ({"subresources": {"scale": {}}}, {}),
        ({"additionalPrinterColumns": ["x"]}, {}),
        ({"additionalPrinterColumns": [{"name": "A"}]}, {}),
        ({}, {"names": "x"}),
        ({}, {"versions": None}),
        ({}, {"versions": {"a": 1}}),
    ],
)
def test_a_definition_by_which_nothing_can_be_served_is_refused(
    api: Raw, version: dict[str, Any], spec: dict[str, Any]
) -> None:
    served = {"name": "v1", "served": True, "storage": True}
    served |= {"schema": {"openAPIV3Schema": SCHEMA}} | version
    names = {"plural": "things", "kind": "Thing"}
    whole = {"group": "hostile.example.com", "scope": "Namespaced", "names": names}
    body = {"metadata": {"name": THINGS}, "spec": {**whole, "versions": [served], **spec}}
    answer = api.post(CRDS, body)
    assert answer.code in {400, 422}, answer.body
    assert api.get(f"{CRDS}/{THINGS}").code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PATCH", "configmaps/a", [{"op": ["add"], "path": "/data"}], JSON_PATCH),
        ("PATCH", "configmaps/a", ["add"], JSON_PATCH),
        ("PATCH", "configmaps/a", [{"op": "copy", "path": "/data"}], JSON_PATCH),
        ("PATCH", "configmaps/a", {"metadata": "x"}, APPLY),
        ("DELETE", "configmaps/a", {"gracePeriodSeconds": "x"}, "application/json"),
        ("DELETE", "configmaps/a", {"preconditions": ["x"]}, "application/json"),
        ("POST", "pods/p/eviction", {"deleteOptions": "x"}, "application/json"),
        ("POST", "pods/p/binding", {"target": "x"}, "application/json"),
        ("POST", "serviceaccounts/s/token", {"spec": {"audiences": "x"}}, "application/json"),
        ("GET", "configmaps?limit=" + "9" * 5000, None, "application/json"),
        ("GET", "configmaps?resourceVersion=" + "9" * 5000, None, "application/json"),
    ],
)
def test_nonsense_is_the_clients_fault(
    api: Raw, core: Paths, method: str, path: str, body: Any, kind: str
) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}, "data": {"k": "v"}})
    api.post(core("serviceaccounts"), {"metadata": {"name": "s"}})
    spec = {"containers": [{"name": "c", "image": "i"}]}
    api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec})
    query = {"fieldManager": "me"} if kind == APPLY else {}
    answer = api(method, core(path), body, kind=kind, **query)
    assert answer.code in {400, 422}, answer.body
    assert api.get(core("configmaps", "a")).body["data"] == {"k": "v"}
