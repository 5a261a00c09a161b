"""Pods reach each other, from their own addresses, from the first packet on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from embedded.box.commands import Recorder
from embedded.box.namespaces import SPAWNER
from embedded.box.trees import REPOSITORY
from embedded.images.tools import NFT
from embedded.runtime.client import Process, SpawnerClient
from embedded.runtime.model import BoxError, Sandbox, Streams
from tests.embedded.box.modes import Mode
from tests.embedded.box.playing import play
from tests.embedded.box.scene import Stage
from tests.embedded.image_table import tools

SERVER = """
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Listen => 9,
    ReuseAddr => 1) or die "cannot listen: $!";
syswrite STDOUT, "listening\\n";
while (my $c = $s->accept) {
    print $c $c->peerhost, "\\n";
    if ($ARGV[2]) { while (<$c>) { last if /$ARGV[2]/ } print $c "taken\\n" }
    close $c
}
"""


async def _serve(stage: Stage, sandbox: Sandbox, address: str, port: int, until: str = "") -> Any:
    read, write = os.pipe()
    argv = ("perl", "-e", SERVER, address, str(port), until)
    process = await stage.container(sandbox, *argv, streams=Streams(stdout=write, stderr=2))
    os.close(write)
    assert await asyncio.to_thread(os.read, read, 100) == b"listening\n"
    os.close(read)
    return process


async def _answer(connection: socket.socket) -> str:
    with connection:
        return (await asyncio.get_running_loop().sock_recv(connection, 100)).decode().strip()


async def talk(stage: Stage) -> dict[str, Any]:
    one, two = await stage.sandbox(2), await stage.sandbox(3)
    await _serve(stage, one, "0.0.0.0", 80)
    await _serve(stage, one, "127.0.0.1", 5432)
    dial = "exec 3<>/dev/tcp/10.244.0.2/80 && cat <&3"
    return {
        "from a Pod": (await stage.output(two, "bash", "-c", dial)).stdout,
        "from beside": (
            await stage.output(one, "bash", "-c", dial.replace("10.244.0.2", "127.0.0.1"))
        ).stdout,
        "from the box": (await stage.runtime.run(["bash", "-c", dial])).stdout,
        "into its loopback": await _answer(await stage.runtime.connect(one, 5432)),
        "into another's": await _refused(stage, two, 5432),
        "from inside to its address": await _answer(
            await stage.runtime.connect(two, 80, address="10.244.0.2")
        ),
        "ipv6": (await stage.output(one, "cat", "/proc/net/if_inet6")).stdout,
    }


async def _refused(stage: Stage, sandbox: Sandbox, port: int) -> str:
    try:
        (await stage.runtime.connect(sandbox, port)).close()
    except ConnectionRefusedError as error:
        return type(error).__name__
    return "connected"


def test_pods_talk_with_their_own_addresses(mode: Mode) -> None:
    """A low port serves an ordinary user; each peer is seen by its address; loopbacks are apart."""
    seen = play(mode, talk)
    assert seen["from a Pod"] == "10.244.0.3\n"
    assert seen["from beside"] == "127.0.0.1\n"
    assert seen["from the box"] == "10.244.0.1\n"
    assert seen["into its loopback"] == "127.0.0.1"
    assert seen["into another's"] == "ConnectionRefusedError"
    assert seen["from inside to its address"] == "10.244.0.3"
    assert seen["ipv6"] == ""


async def first_packets(stage: Stage) -> dict[str, Any]:
    inward = outward = 0
    with socket.create_server(("10.244.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        for number in range(2, 42):
            # Addresses come again, with another hardware address behind them.
            sandbox = await stage.sandbox(2 + number % 7)
            # The first packet of all, one way for even and the other for odd numbers.
            if number % 2:
                (await stage.runtime.connect(sandbox, port, address="10.244.0.1")).close()
                outward += 1
            else:
                inward += await _dial(sandbox.address)
            await stage.runtime.remove_sandbox(sandbox)
    return {"inward": inward, "outward": outward, "resent": _resent()}


async def _dial(address: str) -> int:
    with socket.socket() as connection:
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, (address, 9))
        except ConnectionRefusedError:
            return 1
    return 0


def _resent() -> int:
    names, values = [
        line.split()[1:]
        for line in Path("/proc/net/snmp").read_text().splitlines()
        if line.startswith("Tcp:")
    ]
    return int(dict(zip(names, values, strict=True))["RetransSegs"])


def test_no_first_packet_is_lost(mode: Mode) -> None:
    """A sandbox is given out when its wire carries: nothing had to be sent again."""
    assert play(mode, first_packets) == {"inward": 20, "outward": 20, "resent": 0}


async def _capture(stage: Stage, *addresses: str) -> tuple[Process, int]:
    """A capture of the bridge that has begun, and where it writes to."""
    file = os.memfd_create("capture")
    read, write = os.pipe()
    # Descriptor 3, where it tells that it records, comes by a shell from standard input.
    start = 'exec 3>&0 "$@"'
    capture = [sys.executable, "-m", "embedded.box.capture", "br0", *addresses]
    process = await stage.runtime.spawn(
        ["sh", "-c", start, "sh", *capture],
        env={"PYTHONPATH": str(REPOSITORY)},
        streams=Streams(stdin=write, stdout=file, stderr=2),
    )
    await asyncio.to_thread(os.read, read, 100)
    return process, file


async def recorded(stage: Stage) -> dict[str, Any]:
    one, two = await stage.sandbox(2), await stage.sandbox(3)
    await _serve(stage, one, "0.0.0.0", 80, until="marker-200-")
    process, file = await _capture(stage)
    # Twice each: a marker may be parted between two segments, but not both.
    burst = (
        "exec 3<>/dev/tcp/10.244.0.2/80; "
        "for i in {1..200}; do echo marker-$i-marker-$i- >&3; done; "
        "read _ <&3; read taken <&3; echo $taken"
    )
    taken = await stage.output(two, "bash", "-c", burst)
    process.signal(signal.SIGTERM)
    status = await process.wait()
    await stage.output(two, "bash", "-c", "echo too-late >/dev/tcp/10.244.0.2/80; exit 0")
    with os.fdopen(file, "rb") as frames:
        frames.seek(0)
        content = frames.read()
    found = sum(f"marker-{number}-".encode() in content for number in range(1, 201))
    late = b"too-late" in content
    return {"taken": taken.stdout, "code": status.code, "found": found, "late": late}


def test_a_capture_misses_nothing(mode: Mode) -> None:
    """All that crossed the bridge before its end is in it, and nothing after."""
    assert play(mode, recorded) == {
        "taken": "taken\n",
        "code": 0,
        "found": 200,
        "late": False,
    }


async def recorded_in_part(stage: Stage) -> dict[str, Any]:
    server, named, other = [await stage.sandbox(number) for number in (2, 3, 4)]
    await _serve(stage, server, "0.0.0.0", 80, until="from")
    # The last of many, so that each jump of the filter is as long as it gets.
    strangers = [f"10.245.0.{number}" for number in range(1, 100)]
    process, file = await _capture(stage, *strangers, "10.244.0.3")
    for sandbox, address in ((named, "10.244.0.3"), (other, "10.244.0.4")):
        said = f"exec 3<>/dev/tcp/10.244.0.2/80; echo from {address} >&3; cat <&3"
        await stage.output(sandbox, "bash", "-c", said)
    process.signal(signal.SIGTERM)
    status = await process.wait()
    with os.fdopen(file, "rb") as frames:
        frames.seek(0)
        content = frames.read()
    asked, answered = socket.inet_aton("10.244.0.3"), socket.inet_aton("10.244.0.2")
    return {
        "code": status.code,
        "named": b"from 10.244.0.3" in content,
        "other": b"from 10.244.0.4" in content,
        "both ways": asked + answered in content and answered + asked in content,
    }


def test_a_capture_of_some_addresses_is_of_no_others(mode: Mode) -> None:
    """Frames in both directions."""
    assert play(mode, recorded_in_part) == {
        "code": 0,
        "named": True,
        "other": False,
        "both ways": True,
    }


class Watched:
    """A spawner that tells of what it has started."""

    def __init__(self, spawner: SpawnerClient) -> None:
        self._spawner = spawner
        self.started: asyncio.Future[Process] = asyncio.get_running_loop().create_future()

    async def spawn(self, *arguments: Any, **options: Any) -> Process:
        process = await self._spawner.spawn(*arguments, **options)
        self.started.set_result(process)
        return process


async def abandoned(stage: Stage) -> int:
    spawner = Watched(await SpawnerClient.connect(SPAWNER))
    recorder = Recorder(spawner, log=2)  # type: ignore[arg-type]
    start = asyncio.create_task(recorder.start(Path("/dev/null"), []))
    process = await spawner.started
    start.cancel()
    async with asyncio.timeout(40):
        return (await process.wait()).signal


def test_a_capture_whose_start_is_given_up_ends(mode: Mode) -> None:
    assert play(mode, abandoned) == signal.SIGKILL


async def shared(stage: Stage) -> dict[str, Any]:
    sandbox = await stage.sandbox(2)
    one, two = await stage.sleeper(sandbox), await stage.sleeper(sandbox)
    other = await stage.sleeper(await stage.sandbox(3))
    look = ("readlink", "/proc/self/ns/net", "/proc/self/ns/ipc", "/proc/self/ns/uts")
    names = [
        (await stage.execute(each, *look)).stdout.decode().split() for each in (one, two, other)
    ]
    ids = [
        (await stage.execute(each, "readlink", "/proc/self/ns/pid")).stdout for each in (one, two)
    ]
    await stage.runtime.remove_sandbox(sandbox)
    one.signal(signal.SIGKILL)
    return {
        "same": names[0] == names[1],
        "apart": set(names[0]) & set(names[2]),
        "pids": ids[0] == ids[1],
    }


def test_containers_of_a_pod_share_network_ipc_and_name(mode: Mode) -> None:
    """And nothing of it with another Pod's; their processes are apart."""
    assert play(mode, shared) == {"same": True, "apart": "set()", "pids": False}


async def programs(stage: Stage, tools: str) -> dict[str, Any]:
    rules = b"table ip box {\n map vip {\n type ipv4_addr : ipv4_addr\n }\n}\n"
    nft = ["chroot", tools, NFT]
    made = await stage.runtime.run([*nft, "-f", "-"], stdin=rules)
    listed = await stage.runtime.run([*nft, "list", "tables"])
    failed = await stage.runtime.run([*nft, "-f", "-"], stdin=b"nonsense\n")
    try:
        await stage.runtime.run(["sleep", "1000"], deadline=0.2)
    except TimeoutError:
        stopped = True
    try:
        await stage.runtime.run(["no-such-program"])
    except BoxError as error:
        missing = str(error)
    return {
        "made": made,
        "listed": listed,
        "failed": failed,
        "stopped": stopped,
        "missing": missing,
    }


def test_programs_of_the_box_run_to_their_end(mode: Mode) -> None:
    """With input, output and a deadline; nft works in either mode."""
    seen = play(mode, programs, str(tools().layers[0]))
    assert seen["made"]["status"]["code"] == 0, seen["made"]["stderr"]
    assert "table ip box" in seen["listed"]["stdout"]
    assert seen["failed"]["status"]["code"] == 1
    assert "nonsense" in seen["failed"]["stderr"]
    assert seen["stopped"] is True
    assert "No such file" in seen["missing"]
