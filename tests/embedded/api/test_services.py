"""Services and Endpoints: the addresses that they get, and those that they cannot have."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.embedded.api.raw import Raw

Paths = Callable[..., str]


def service(name: str = "s", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 5432}], **spec}}


def test_a_service_gets_its_address_in_the_answer(api: Raw, core: Paths) -> None:
    one, two = (api.post(core("services"), service(name)).body["spec"] for name in ("a", "b"))
    assert ip_address(one["clusterIP"]) in ip_network("10.96.0.0/16")
    assert one["clusterIP"] != two["clusterIP"]
    assert one["clusterIPs"] == [one["clusterIP"]]
    assert (one["type"], one["sessionAffinity"]) == ("ClusterIP", "None")
    assert one["ports"] == [{"port": 5432, "protocol": "TCP", "targetPort": 5432}]


def test_an_address_outlives_updates_and_cannot_be_changed(api: Raw, core: Paths) -> None:
    address = api.post(core("services"), service()).body["spec"]["clusterIP"]
    replaced = api.put(core("services", "s"), service(selector={"a": "b"})).body["spec"]
    assert replaced["clusterIP"] == address
    assert api.put(core("services", "s"), service(clusterIP="10.96.99.99")).code == 422


def test_headless_external_and_node_port_services(api: Raw, core: Paths) -> None:
    headless = api.post(core("services"), service("h", clusterIP="None")).body["spec"]
    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])
    named = {"metadata": {"name": "e"}, "spec": {"type": "ExternalName", "externalName": "x.y"}}
    assert "clusterIP" not in api.post(core("services"), named).body["spec"]
    node = api.post(core("services"), service("n", type="NodePort")).body["spec"]
    assert 30000 <= node["ports"][0]["nodePort"] < 32768


def test_an_address_that_was_freed_rests(api: Raw, core: Paths) -> None:
    freed = api.post(core("services"), service("a")).body["spec"]["clusterIP"]
    api("DELETE", core("services", "a"))
    assert api.post(core("services"), service("b")).body["spec"]["clusterIP"] != freed


def test_a_free_address_may_be_asked_for(api: Raw, core: Paths) -> None:
    asked = api.post(core("services"), service("a", clusterIP="10.96.200.1")).body["spec"]
    assert asked["clusterIPs"] == ["10.96.200.1"]
    listed = api.post(core("services"), service("b", clusterIPs=["10.96.200.2"])).body["spec"]
    assert listed["clusterIP"] == "10.96.200.2"
    taken = api.post(core("services"), service("c", clusterIP="10.96.200.1"))
    assert (taken.code, taken.reason) == (422, "Invalid")
    assert taken.message == (
        'Service "c" is invalid: spec.clusterIPs: Invalid value: ["10.96.200.1"]: '
        "failed to allocate IP 10.96.200.1: provided IP is already allocated"
    )
    for name in ("a", "b"):
        api("DELETE", core("services", name))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("banana", "must be a valid IP address"),
        ("10.96.0.020", "must be a valid IP address"),
        ("10.96.0.20; flush ruleset", "must be a valid IP address"),
        ("fd00::1", "IPv6 is not configured on this cluster"),
        ("10.97.0.1", "The range of valid IPs is 10.96.0.0/16"),
        ("10.96.0.0", "is not in the valid range"),
        ("10.96.255.255", "is not in the valid range"),
    ],
)
def test_an_address_that_no_service_can_have_is_422(
    api: Raw, core: Paths, address: str, why: str
) -> None:
    for spec in ({"clusterIP": address}, {"clusterIPs": [address]}):
        refused = api.post(core("services"), service(**spec))
        assert (refused.code, refused.reason) == (422, "Invalid")
        (cause,) = refused.body["details"]["causes"]
        assert cause["field"].startswith("spec.clusterIPs")
        assert why in cause["message"]
    api.post(core("services"), service())
    assert api.patch(core("services", "s"), {"spec": {"clusterIP": address}}).code == 422


def test_an_external_name_has_no_address(api: Raw, core: Paths) -> None:
    named = {"type": "ExternalName", "externalName": "x.y"}
    refused = api.post(core("services"), service(**named, clusterIP="10.96.200.3"))
    assert refused.code == 422
    api.post(core("services"), service())
    turned = api.patch(core("services", "s"), {"spec": named})
    assert turned.code == 200
    assert "clusterIP" not in turned.body["spec"]


@pytest.mark.parametrize(
    "subset",
    [
        {"addresses": [{"ip": "banana"}]},
        {"addresses": [{"ip": "fd00::1"}]},
        {"notReadyAddresses": [{"ip": "10.0.0.1 }"}]},
        {"addresses": [{"ip": "127.0.0.1"}]},
        {"addresses": [{"ip": "0.0.0.0"}]},
        {"addresses": [{"ip": ""}]},
        {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 0}]},
        {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 1, "protocol": "tcp"}]},
        {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 1}, {"port": 2}]},
        {"ports": [{"port": 1}]},
    ],
)
def test_endpoints_are_checked(api: Raw, core: Paths, subset: dict[str, Any]) -> None:
    refused = api.post(core("endpoints"), {"metadata": {"name": "e"}, "subsets": [subset]})
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.body["details"]["causes"][0]["field"].startswith("subsets[0]")
    good = {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 5432}]}
    assert api.post(core("endpoints"), {"metadata": {"name": "e"}, "subsets": [good]}).code == 201


def test_services_are_checked(api: Raw, core: Paths) -> None:
    two = [{"port": 1}, {"port": 2}]
    assert api.post(core("services"), service(ports=two)).code == 422
    assert api.post(core("services"), service(ports=[])).code == 422
    assert api.post(core("services"), service(type="Odd")).code == 422
    assert api.post(core("services"), service(type="NodePort", clusterIP="None")).code == 422
    twice = [{"name": "a", "port": 1}, {"name": "b", "port": 1}]
    assert api.post(core("services"), service(ports=twice)).code == 422
    odd = [{"port": 1, "protocol": "tcp; flush ruleset"}]
    assert api.post(core("services"), service(ports=odd)).code == 422


def test_a_headless_service_without_selector_has_both_families(api: Raw, core: Paths) -> None:
    def families(name: str, **spec: Any) -> tuple[list[str], str]:
        made = api.post(core("services"), service(name, **spec)).body["spec"]
        return made["ipFamilies"], made["ipFamilyPolicy"]

    both = ["IPv4", "IPv6"]
    assert families("a", clusterIP="None") == (both, "RequireDualStack")
    assert families("b", clusterIP="None", selector={"a": "b"}) == (["IPv4"], "SingleStack")
    single = {"ipFamilyPolicy": "SingleStack"}
    assert families("c", clusterIP="None", **single) == (["IPv4"], "SingleStack")
    assert families("d") == (["IPv4"], "SingleStack")
    kept = api.put(core("services", "a"), service("a", clusterIP="None")).body["spec"]
    assert (kept["ipFamilies"], kept["ipFamilyPolicy"]) == (both, "RequireDualStack")
    fewer = api.patch(core("services", "a"), {"spec": single}).body["spec"]
    assert (fewer["ipFamilies"], fewer["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


@pytest.mark.parametrize(
    "spec",
    [{"ipFamilyPolicy": "RequireDualStack"}, {"ipFamilies": ["IPv6"]}, {"ipFamilyPolicy": "Any"}],
)
def test_a_cluster_of_one_family_has_no_address_of_the_other(
    api: Raw, core: Paths, spec: dict[str, Any]
) -> None:
    assert api.post(core("services"), service(**spec)).code == 422


def test_a_service_gives_up_what_its_new_type_has_no_use_for(api: Raw, core: Paths) -> None:
    api.post(core("services"), service("s", type="LoadBalancer"))
    spec = api.patch(core("services", "s"), {"spec": {"type": "ClusterIP"}}).body["spec"]
    assert "nodePort" not in spec["ports"][0]
    assert {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"}.isdisjoint(spec)


def test_a_services_name_begins_with_a_letter(api: Raw, core: Paths) -> None:
    answer = api.post(core("services"), service("1a"))
    assert (answer.code, "DNS-1035" in answer.message) == (422, True)
