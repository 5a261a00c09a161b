"""Service addresses in the rules of a real kernel, in a network namespace of the test's own."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from embedded.client.store import Key
from embedded.images.tools import NFT
from embedded.node.network.services import ServiceTable
from embedded.runtime.model import Completed, ExitStatus
from tests.embedded.image_table import tools
from tests.embedded.node.cluster import Json, endpoints, service

POD, OTHER = "10.244.0.5", "10.244.0.6"


class Kernel:
    """Runs nft where no other rules are, and holds Services with their Endpoints."""

    def __init__(self, pid: int, tools: Path) -> None:
        self._enter = ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(pid)]
        self._tools = tools
        self._services: dict[Key, Json] = {}
        self._endpoints: dict[Key, Json] = {}
        self.table = ServiceTable(
            self,
            lambda *key: self._services.get(key),
            lambda *key: self._endpoints.get(key),
            refuse="10.244.0.1:1",
            tools=tools,
        )

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        done = subprocess.run(
            [*self._enter, *argv], input=stdin, capture_output=True, timeout=60, check=False
        )
        status = ExitStatus(code=done.returncode)
        return Completed(status=status, stdout=done.stdout, stderr=done.stderr)

    def lead(self, name: str, address: str, *pods: str) -> Key:
        """Let a Service lead from an address to Pods."""
        key = ("ns", name)
        self._services[key] = service(name, address)
        self._endpoints[key] = endpoints(*({"ip": pod} for pod in pods))
        return key

    def remove(self, name: str) -> Key:
        key = ("ns", name)
        del self._services[key], self._endpoints[key]
        return key

    def apply(self, *keys: Key) -> None:
        asyncio.run(self.table.apply(keys))

    def leads(self) -> dict[str, str]:
        """Return the targets of each Service's address, as the kernel has them."""
        chains = dict(
            re.findall(
                r"chain (s\d+) {\s+.*dnat to ([\d.]+)", self._listed("table", "ip", "services")
            )
        )
        found = re.findall(
            r"([\d.]+) \. tcp \. \d+ : goto (s\d+)", self._listed("table", "ip", "services")
        )
        return {address: chains[chain] for address, chain in found}

    def own(self) -> set[str]:
        """The addresses by which Pods are known that reach themselves."""
        return set(re.findall(r"([\d.]+) \. \1", self._listed("set", "ip", "services", "own")))

    def _listed(self, *what: str) -> str:
        command = ["chroot", str(self._tools), NFT, "list", *what]
        done = asyncio.run(self.run(command))
        assert done.status.code == 0, done.stderr
        return done.stdout.decode()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    root = tools().layers[0]
    words = ["unshare", "-Urn", "sh", "-c", "echo up; exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:
        assert held.stdin is not None
        assert held.stdout is not None
        assert held.stdout.readline() == b"up\n"
        yield Kernel(held.pid, root)
        held.stdin.close()


@pytest.mark.parametrize(("old", "new"), [("a", "b"), ("b", "a")])
def test_a_new_service_may_have_the_address_of_one_that_goes(
    kernel: Kernel, old: str, new: str, caplog: pytest.LogCaptureFixture
) -> None:
    kernel.apply(kernel.lead(old, "10.96.0.20", POD))
    kernel.apply(kernel.remove(old), kernel.lead(new, "10.96.0.20", OTHER))
    assert kernel.leads() == {"10.96.0.20": OTHER}
    assert not caplog.messages


def test_a_service_that_the_rules_cannot_hold_leaves_the_others_alone(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    first = kernel.lead("first", "10.96.0.20", POD)
    kernel.apply(first)
    # Both would be one entry of the map, which nft refuses.
    kernel.apply(kernel.lead("second", "10.96.0.20", OTHER), kernel.lead("web", "10.96.0.21", POD))
    assert kernel.leads() == {"10.96.0.20": POD, "10.96.0.21": POD}
    (said,) = caplog.messages
    assert said.startswith("service ns/second is left out: nft: ")
    assert "File exists" in said
    # It comes in once what was in its way has gone.
    kernel.apply(kernel.remove("first"))
    assert kernel.leads() == {"10.96.0.20": OTHER, "10.96.0.21": POD}
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("pod", ["banana", "10.0.0.1 }; flush ruleset; #", "fd00::1"])
def test_what_is_no_address_leaves_the_other_services_alone(
    kernel: Kernel, caplog: pytest.LogCaptureFixture, pod: str
) -> None:
    kernel.apply(kernel.lead("web", "10.96.0.20", POD), kernel.lead("odd", "10.96.0.21", pod))
    assert kernel.leads() == {"10.96.0.20": POD}
    assert caplog.messages == [f"service ns/odd is left out: {pod!r} is not an IPv4 address"]


def test_the_addresses_of_pods_that_went_are_forgotten(kernel: Kernel) -> None:
    kernel.apply(kernel.lead("a", "10.96.0.20", POD), kernel.lead("b", "10.96.0.21", POD, OTHER))
    assert kernel.own() == {POD, OTHER}
    kernel.apply(kernel.remove("b"))
    assert kernel.own() == {POD}
    kernel.apply(kernel.remove("a"))
    assert kernel.own() == set()
