"""Keeps the box's nftables rules equal to Services and Endpoints."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from embedded.client import Json, key_of
from embedded.client.store import Key
from embedded.images.tools import NFT
from embedded.node.network.book import RuleBook
from embedded.node.network.names import Lookup
from embedded.node.network.rules import NoRouteError, Route, base_rules, routes_of
from embedded.runtime.model import BoxError, Completed

_log = logging.getLogger(__name__)
_PAUSE = 1.0  # seconds after a failure


_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def _see_packets_once() -> None:
    """Keep packets from meeting the rules while they cross the bridge; they do when routed.

    Where the host has loaded br_netfilter, a Pod that reaches itself through a Service would have
    its packet turned round within the bridge, which then drops it. The setting is this box's own.
    """
    if _BRIDGE_FILTER.exists():
        _BRIDGE_FILTER.write_text("0")


class ProgramRunner(Protocol):
    """A runner of programs, such as the node's runtime."""

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> Completed:
        """Run a program of the box to its end. Raises TimeoutError or BoxError."""
        ...


class _RefusedError(BoxError):
    """nft takes a script whole or not at all; the rules are as they were."""


class ServiceTable:
    """Applies what changed, all at once; what changes meanwhile goes into the next round.

    Where nft refuses that, each Service is applied by itself, and one that it refuses is left out
    and tried again with each change.
    """

    def __init__(
        self,
        runtime: ProgramRunner,
        services: Lookup,
        endpoints: Lookup,
        *,
        refuse: str,
        tools: Path,
    ) -> None:
        self._runtime = runtime
        self._nft_command = ["chroot", str(tools), NFT, "-f", "-"]
        self._services = services
        self._endpoints = endpoints
        self._book = RuleBook(refuse)
        self._based = False
        self._dirty: set[Key] = set()
        self._refused: set[Key] = set()
        self._work = asyncio.Event()

    def changed(self, _: str, obj: Json) -> None:
        """Take note that a Service, or the Endpoints of that name, changed."""
        self._dirty.add(key_of(obj))
        self._work.set()

    async def run(self) -> None:
        """Apply until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                if not self._based:
                    _see_packets_once()
                await self.apply(dirty)
            except (BoxError, OSError) as error:
                _log.error("service addresses: %s", error)  # one line says it
                # After such a failure nothing is known of the rules: make all of them anew.
                self._dirty |= dirty | self._book.keys | self._refused
                self._book.clear()
                self._based = False
                self._work.set()
                await asyncio.sleep(_PAUSE)

    async def apply(self, dirty: Iterable[Key]) -> None:
        """Bring the rules of some Services up to date. Raises BoxError or OSError."""
        if not self._based:
            await self._nft(base_rules())
            self._based = True
        again = sorted(self._refused)
        wanted = {key: self._routes(key) for key in sorted(set(dirty) - self._refused)}
        try:
            await self._take(wanted)
        except _RefusedError:
            await self._take_one_by_one(wanted)
        for key in again:
            await self._try(key, self._routes(key))

    async def _take(self, wanted: Mapping[Key, Sequence[Route]]) -> None:
        plan = self._book.plan(wanted)
        if plan.script:
            await self._nft(plan.script)
        self._book.took(plan)

    async def _take_one_by_one(self, wanted: Mapping[Key, Sequence[Route]]) -> None:
        # What goes makes room for what comes.
        for key, routes in wanted.items():
            await self._take({key: self._book.shrunk(key, routes)})
        for key, routes in wanted.items():
            await self._try(key, routes)

    async def _try(self, key: Key, routes: Sequence[Route]) -> None:
        try:
            await self._take({key: routes})
        except _RefusedError as error:
            # Better nowhere than to Pods of which nothing is known.
            await self._take({key: []})
            if key not in self._refused:
                _log.error("service %s/%s is left out: %s", *key, error)
            self._refused.add(key)
        else:
            self._refused.discard(key)

    def _routes(self, key: Key) -> list[Route]:
        try:
            return routes_of(self._services(*key), self._endpoints(*key))
        except NoRouteError as error:
            _log.error("service %s/%s is left out: %s", *key, error)
            return []

    async def _nft(self, script: str) -> None:
        done = await self._runtime.run(self._nft_command, stdin=script.encode())
        if done.status.code != 0:
            raise _RefusedError(f"nft: {' '.join(done.stderr.decode(errors='replace').split())}")
