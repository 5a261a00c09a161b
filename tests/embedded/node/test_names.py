from __future__ import annotations

import asyncio
import socket
import struct
from ipaddress import IPv4Address

import pytest

from embedded.node.network.dns import NameServer
from embedded.node.network.names import Zone
from tests.embedded.node.cluster import Json, endpoints, service
from tests.ports import reserved_port

READY = {"ip": "10.244.0.5", "hostname": "db-0"}
LATE = {"ip": "10.244.0.6", "hostname": "db-1"}


def zone(a_service: Json, its_endpoints: Json | None = None) -> Zone:
    objects = {("ns", "db"): a_service}
    members = {("ns", "db"): its_endpoints} if its_endpoints else {}
    return Zone(
        "cluster.local",
        lambda namespace, name: objects.get((namespace, name)),
        lambda namespace, name: members.get((namespace, name)),
    )


def test_a_service_with_an_address_is_that_address() -> None:
    assert zone(service(address="10.96.0.7")).resolve("db.ns.svc.cluster.local") == [
        IPv4Address("10.96.0.7")
    ]


def test_a_headless_service_is_its_ready_pods() -> None:
    headless = zone(service(), endpoints(READY, waiting=(LATE,)))
    assert headless.resolve("db.ns.svc.cluster.local") == [IPv4Address("10.244.0.5")]
    assert headless.resolve("db-1.db.ns.svc.cluster.local") is None


def test_pods_that_are_not_ready_have_names_where_the_service_publishes_them() -> None:
    published = zone(service(publishNotReadyAddresses=True), endpoints(READY, waiting=(LATE,)))
    assert published.resolve("db-1.db.ns.svc.cluster.local") == [IPv4Address("10.244.0.6")]
    assert published.resolve("db.ns.svc.cluster.local") == [
        IPv4Address("10.244.0.5"),
        IPv4Address("10.244.0.6"),
    ]


@pytest.mark.parametrize(
    "name", ["db.other.svc.cluster.local", "db.ns.svc", "ns.svc.cluster.local", "example.com", ""]
)
def test_other_names_do_not_exist(name: str) -> None:
    assert zone(service(address="10.96.0.7")).resolve(name) is None


def query(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split("."))
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def answered(message: bytes) -> tuple[int, int, list[str]]:
    """Return number, response code and addresses of an answer."""
    number, flags, _, count, *_ = struct.unpack_from("!6H", message)
    tail = message[len(message) - 16 * count :]
    found = [str(IPv4Address(tail[i * 16 + 12 : i * 16 + 16])) for i in range(count)]
    return number, flags & 0xF, found


SERVER = NameServer(zone(service(address="10.96.0.7")))


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("db.ns.svc.cluster.local", 1, (7, 0, ["10.96.0.7"])),
        ("DB.ns.SVC.cluster.local.", 1, (7, 0, ["10.96.0.7"])),
        ("db.ns.svc.cluster.local", 28, (7, 0, [])),
        ("nothing.ns.svc.cluster.local", 1, (7, 3, [])),
    ],
)
def test_the_server_answers_over_udp_and_tcp(
    name: str, kind: int, expected: tuple[int, int, list[str]]
) -> None:
    message = query(name, kind)

    async def ask(port: int) -> tuple[bytes, bytes]:
        await SERVER.start("127.0.0.1", port)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.setblocking(False)
            udp.connect(("127.0.0.1", port))
            await loop.sock_sendall(udp, message)
            by_udp = await asyncio.wait_for(loop.sock_recv(udp, 512), 60)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(len(message).to_bytes(2, "big") + message)
        length = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 60), "big")
        by_tcp = await asyncio.wait_for(reader.readexactly(length), 60)
        writer.close()
        await writer.wait_closed()
        SERVER.stop()
        return by_udp, by_tcp

    with reserved_port() as port:
        by_udp, by_tcp = asyncio.run(ask(port))
    assert answered(by_udp) == expected
    assert answered(by_tcp) == expected


def test_an_answer_too_long_for_udp_is_cut_and_says_so() -> None:
    many = endpoints(*({"ip": f"10.244.1.{n}"} for n in range(1, 60)))
    server = NameServer(zone(service(), many))
    short = server.respond(query("db.ns.svc.cluster.local", 1), 512)
    whole = server.respond(query("db.ns.svc.cluster.local", 1))
    assert short is not None
    assert whole is not None
    assert struct.unpack_from("!2H", short)[1] & 0x0200
    assert answered(short)[2] == []
    assert len(answered(whole)[2]) == 59


def test_what_is_no_query_is_not_answered() -> None:
    assert SERVER.respond(b"") is None
    assert SERVER.respond(b"\0" * 11) is None
    assert SERVER.respond(struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + b"\1a\0\0\1\0\1") is None
