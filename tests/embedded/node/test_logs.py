from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from embedded.node.logs.reader import LogOptions, last_lines, read_log
from embedded.node.logs.writer import ContainerLog, timestamp

Body = Callable[[ContainerLog, int], Awaitable[None]]


def with_log(path: Path, body: Body, limit: int = 1 << 20) -> ContainerLog:
    """Run `body` with a log and the writing end of what it reads; end the log afterwards."""

    async def run() -> ContainerLog:
        log = ContainerLog(path, limit)
        out, descriptor = os.pipe()
        log.attach("stdout", out)
        try:
            await body(log, descriptor)
        finally:
            os.close(descriptor)
        await asyncio.wait_for(log.drained(), 5)
        return log

    return asyncio.run(run())


async def nothing(log: ContainerLog, descriptor: int) -> None:
    os.write(descriptor, b"one\ntwo\nthree")


async def collected(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def read(log: ContainerLog, **options: object) -> bytes:
    return asyncio.run(collected(read_log(log, LogOptions(**options))))  # type: ignore[arg-type]


def test_lines_are_kept_with_time_and_stream(tmp_path: Path) -> None:
    log = with_log(tmp_path / "a.log", nothing)
    lines = log.path.read_text().splitlines()
    assert [re.sub(r"^\S+Z ", "", line) for line in lines] == [
        "stdout F one",
        "stdout F two",
        "stdout P three",
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, b"one\ntwo\nthree"),
        ({"tail_lines": 1}, b"three"),
        ({"tail_lines": 0}, b""),
        ({"limit_bytes": 5}, b"one\nt"),
        ({"follow": True}, b"one\ntwo\nthree"),
        ({"since": 0}, b"one\ntwo\nthree"),
        ({"since": 1 << 62}, b""),
    ],
)
def test_the_wanted_part_comes_back(
    tmp_path: Path, options: dict[str, object], expected: bytes
) -> None:
    assert read(with_log(tmp_path / "a.log", nothing), **options) == expected


def test_time_stamps_are_given_when_asked_for(tmp_path: Path) -> None:
    lines = read(with_log(tmp_path / "a.log", nothing), timestamps=True).splitlines()
    assert all(re.fullmatch(rb"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z \w+", line) for line in lines)


def test_a_follower_sees_what_is_written_later_even_across_a_rotation(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def body(log: ContainerLog, descriptor: int) -> None:
        pieces = read_log(log, LogOptions(follow=True))
        for number in range(40):
            os.write(descriptor, b"%04d\n" % number)
            async with asyncio.timeout(60):
                seen.append(await anext(pieces))
        await pieces.aclose()  # type: ignore[attr-defined]

    log = with_log(tmp_path / "a.log", body, limit=500)
    assert log.generation > 1
    assert b"".join(seen).split() == [b"%04d" % n for n in range(40)]


@pytest.mark.parametrize("limit", [500, 700, 900, 1100, 1300, 1500])
def test_a_follower_that_stalls_goes_on_with_the_oldest_line_that_is_kept(
    tmp_path: Path, limit: int
) -> None:
    seen: list[bytes] = []

    async def body(log: ContainerLog, descriptor: int) -> None:
        prompt = read_log(log, LogOptions(follow=True))

        async def write(numbers: range) -> None:
            for number in numbers:
                os.write(descriptor, b"%04d %s\n" % (number, b"x" * (number % 7)))
                async with asyncio.timeout(60):
                    await anext(prompt)

        pieces = read_log(log, LogOptions(follow=True))
        await write(range(5))
        seen.append(await anext(pieces))
        before = log.generation
        await write(range(5, 100))
        assert log.generation > before + 1
        async with asyncio.timeout(60):
            seen.append(await anext(pieces))
        for follower in (prompt, pieces):
            await follower.aclose()  # type: ignore[attr-defined]

    log = with_log(tmp_path / "a.log", body, limit=limit)
    numbers = [int(line.split()[0]) for line in seen[1].splitlines()]
    assert numbers == list(range(numbers[0], 100))
    kept = len(read(log).splitlines())
    assert len(numbers) == kept


def test_a_line_longer_than_an_entry_comes_back_whole(tmp_path: Path) -> None:
    async def body(log: ContainerLog, descriptor: int) -> None:
        os.write(descriptor, b"x" * 40_000 + b"\n")

    log = with_log(tmp_path / "a.log", body)
    assert read(log) == b"x" * 40_000 + b"\n"
    assert last_lines(log, 80, 100) == "x" * 99 + "\n"


def test_the_log_of_an_earlier_pod_of_that_name_is_kept(tmp_path: Path) -> None:
    with_log(tmp_path / "a.log", nothing)
    with_log(tmp_path / "a.log", nothing)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.1.old.log", "a.log"]


def test_a_time_stamp_has_nanoseconds() -> None:
    assert timestamp(1_700_000_000_000_000_042) == "2023-11-14T22:13:20.000000042Z"
