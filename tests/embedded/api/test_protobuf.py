"""Protobuf bodies, encoded by hand as Go clients encode them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import Answer, Raw

Paths = Callable[..., str]
_KIND = "application/vnd.kubernetes.protobuf"


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """One field: numbers as varints, all else with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(*fields: tuple[int, int | bytes | str]) -> bytes:
    return b"".join(field(*item) for item in fields)


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    types = message((1, api_version), (2, kind))
    return b"k8s\x00" + message((1, types), (2, raw), (3, ""), (4, ""))


def named(name: str, namespace: str = "") -> bytes:
    """`ObjectMeta` with the zeros that Go always writes."""
    return message((1, name), (2, ""), (3, namespace), (4, ""), (5, ""), (6, ""), (7, 0), (8, b""))


def post(api: Raw, path: str, body: bytes) -> Answer:
    answer = api("POST", path, body, kind=_KIND, accept=f"{_KIND}, */*")
    assert answer.code == 201, answer.body
    return answer


def test_a_secret(api: Raw, core: Paths) -> None:
    entry = message((1, "a"), (2, b"\x00\xff"))
    raw = message((1, named("s")), (2, entry), (3, "example.com/t"))
    body = post(api, core("secrets"), envelope("v1", "Secret", raw)).body
    assert (body["data"], body["type"]) == ({"a": "AP8="}, "example.com/t")


def test_a_pod_with_what_json_writes_inline(api: Raw, core: Paths) -> None:
    source = message((6, message((1, "secret"))))
    volume = message((1, "v"), (2, source))
    handler = message((2, message((1, "/ok"), (2, message((1, 1), (2, 0), (3, "http"))))))
    probe = message((1, handler), (2, 0), (3, 7))
    reference = message((1, message((1, "from"))), (2, "key"))
    variable = message((1, "X"), (3, message((4, reference))))
    mount = message((1, "v"), (2, 1), (3, "/v"))
    container = message(
        *((1, "c"), (2, "i:1"), (4, "run"), (4, "me"), (7, variable), (8, b"")),
        *((9, mount), (11, probe), (16, 1)),
    )
    inner = message((1, volume), (2, container), (4, 5), (21, 0))
    raw = message((1, named("p")), (2, inner), (3, b""))
    spec = post(api, core("pods"), envelope("v1", "Pod", raw)).body["spec"]
    assert spec["volumes"] == [
        {"name": "v", "secret": {"secretName": "secret", "defaultMode": 420}}
    ]
    assert spec["terminationGracePeriodSeconds"] == 5
    found = spec["containers"][0]
    assert (found["args"], found["stdin"]) == (["run", "me"], True)
    chosen = {"secretKeyRef": {"name": "from", "key": "key"}}
    assert found["env"] == [{"name": "X", "valueFrom": chosen}]
    assert found["volumeMounts"] == [{"name": "v", "readOnly": True, "mountPath": "/v"}]
    assert found["readinessProbe"]["httpGet"] == {"path": "/ok", "port": "http", "scheme": "HTTP"}
    assert found["readinessProbe"]["timeoutSeconds"] == 7


def test_a_lease_with_its_moments(api: Raw, namespace: str) -> None:
    moment = message((1, 1_700_000_000), (2, 123_456_000))
    raw = message((1, named("l")), (2, message((1, "me"), (2, 15), (3, moment), (5, 0))))
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    spec = post(api, path, envelope("coordination.k8s.io/v1", "Lease", raw)).body["spec"]
    assert spec == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2023-11-14T22:13:20.123456Z",
        "leaseTransitions": 0,
    }


def test_an_event(api: Raw, core: Paths) -> None:
    about = message((1, "Pod"), (3, "p"), (4, "u"))
    moment = message((1, 1_700_000_000))
    raw = message((1, named("e")), (2, about), (3, "Why"), (4, "text"), (6, moment), (8, 3))
    body = post(api, core("events"), envelope("v1", "Event", raw)).body
    assert body["involvedObject"] == {"kind": "Pod", "name": "p", "uid": "u"}
    assert (body["firstTimestamp"], body["count"]) == ("2023-11-14T22:13:20Z", 3)


def test_a_claim_with_a_quantity(api: Raw, core: Paths) -> None:
    quantity = message((1, "storage"), (2, message((1, "1Gi"))))
    raw = message((1, named("c")), (2, message((1, "ReadWriteOnce"), (2, message((2, quantity))))))
    path = core("persistentvolumeclaims")
    spec = post(api, path, envelope("v1", "PersistentVolumeClaim", raw)).body["spec"]
    assert spec["resources"] == {"requests": {"storage": "1Gi"}}


def test_a_job_with_negative_and_pointed_to_zeros(api: Raw, namespace: str) -> None:
    container = message((1, "c"), (2, "i"))
    template = message((2, message((2, container), (3, "Never"))))
    raw = message((1, named("j")), (2, message((1, 0), (6, template), (7, 0))))
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    spec = post(api, path, envelope("batch/v1", "Job", raw)).body["spec"]
    assert (spec["parallelism"], spec["backoffLimit"]) == (0, 0)


def test_delete_options(api: Raw, core: Paths) -> None:
    api.post(core("configmaps"), {"metadata": {"name": "a"}})
    wrong = message((2, message((1, "other"))), (4, "Background"))
    body = envelope("v1", "DeleteOptions", wrong)
    answer = api("DELETE", core("configmaps", "a"), body, kind=_KIND)
    assert answer.code == 409
    body = envelope("apps/v1", "DeleteOptions", message((1, 0)))
    assert api("DELETE", core("configmaps", "a"), body, kind=_KIND).code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not protobuf",
        b"k8s\x00\x0a\xff",
        envelope("v1", "Secret", b"\x0a\x7f"),
        envelope("v1", "Secret", field(1, 5)),
        pytest.param(envelope("v1", "Secret", varint(1 << 3 | 3)), id="a group"),
        pytest.param(b"k8s\x00" + varint(2 << 3 | 7), id="wire type 7"),
        pytest.param(
            envelope("v1", "Secret", message((1, message((8, message((1, 1 << 62))))))),
            id="a moment beyond all calendars",
        ),
    ],
)
def test_what_is_no_protobuf_is_400(api: Raw, core: Paths, body: bytes) -> None:
    assert api("POST", core("secrets"), body, kind=_KIND).code == 400


def test_a_kind_without_a_table_is_415(api: Raw, core: Paths) -> None:
    body = envelope("example.com/v1", "Odd", b"")
    assert api("POST", core("secrets"), body, kind=_KIND).code == 415


def test_fields_of_newer_clients_are_passed_over(api: Raw, core: Paths) -> None:
    extra: Any = varint(900 << 3 | 1) + struct.pack("<d", 1.0) + field(901, "x")
    raw = message((1, named("s"))) + extra
    assert post(api, core("secrets"), envelope("v1", "Secret", raw)).code == 201
