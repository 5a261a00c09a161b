from __future__ import annotations

import subprocess

import pytest

from embedded.images.tools import NFT
from embedded.node.network.rules import (
    NoRouteError,
    base_rules,
    drop_route,
    own_addresses,
    routes_of,
    set_route,
)
from tests.embedded.image_table import tools
from tests.embedded.node.cluster import Json, endpoints, service

A, B = {"ip": "10.244.0.5"}, {"ip": "10.244.0.6"}


def test_each_port_leads_to_the_ready_pods_port_of_the_same_name() -> None:
    ports = [{"name": "db", "port": 5432}, {"name": "rest", "port": 80, "protocol": "TCP"}]
    two = service(address="10.96.0.7", ports=ports)
    members = endpoints(A, waiting=(B,))
    members["subsets"][0]["ports"] = [{"name": "rest", "port": 8008}, {"name": "db", "port": 5432}]
    found = [(r.frontend.element, r.backends) for r in routes_of(two, members)]
    assert found == [
        ("10.96.0.7 . tcp . 5432", (("10.244.0.5", 5432),)),
        ("10.96.0.7 . tcp . 80", (("10.244.0.5", 8008),)),
    ]


def test_a_headless_or_missing_service_has_no_route() -> None:
    assert routes_of(service(), endpoints(A)) == []
    assert routes_of(None, endpoints(A)) == []
    assert routes_of(service(address="10.96.0.7", type="ExternalName"), endpoints(A)) == []


@pytest.mark.parametrize(
    ("odd", "members"),
    [
        (service(address="fd00::1"), endpoints(A)),
        (service(address="10.96.0.7 . tcp . 1 }; flush ruleset"), endpoints(A)),
        (service(address="10.96.0.7", ports=[{"port": 5432, "protocol": "TCP;"}]), endpoints(A)),
        (service(address="10.96.0.7", ports=[{"port": 70000}]), endpoints(A)),
        (service(address="10.96.0.7"), endpoints({"ip": "banana"})),
        (service(address="10.96.0.7"), endpoints(A, port=0)),
    ],
)
def test_what_is_no_address_port_or_protocol_gets_into_no_rule(odd: Json, members: Json) -> None:
    with pytest.raises(NoRouteError):
        routes_of(odd, members)


def test_nftables_takes_every_change() -> None:
    lone = routes_of(service(address="10.96.0.7"), None)[0]
    one = routes_of(service(address="10.96.0.7"), endpoints(A))[0]
    two = routes_of(service(address="10.96.0.7"), endpoints(A, B))[0]
    refuse = "10.244.0.1:1"
    script = base_rules() + "\n".join(
        [
            *set_route(lone, "s1", new=True, refuse=refuse),
            *set_route(one, "s1", new=False, refuse=refuse),
            *set_route(two, "s1", new=False, refuse=refuse),
            *drop_route(two.frontend, "s1"),
            *own_addresses(gone=(), new=["10.244.0.5", "10.244.0.6"]),
            *own_addresses(gone=["10.244.0.5"], new=()),
        ]
    )
    root = tools().layers[0]
    done = subprocess.run(
        ["unshare", "-Urn", "chroot", str(root), NFT, "-f", "-"],
        input=script + "\n",
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
