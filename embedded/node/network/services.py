"""Keeps the box's nftables rules equal to Services and Endpoints."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

from embedded.box.model import BoxError
from embedded.box.runtime import Runtime
from embedded.client import Json, key_of
from embedded.client.store import Key
from embedded.images.recipes import NFT
from embedded.node.network.names import Lookup
from embedded.node.network.rules import (
    Frontend,
    Route,
    base_rules,
    drop_route,
    routes_of,
    set_route,
)

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


class ServiceTable:
    """Applies what changed, all at once; what changes meanwhile goes into the next round."""

    def __init__(
        self, runtime: Runtime, services: Lookup, endpoints: Lookup, *, refuse: str, tools: Path
    ) -> None:
        self._runtime = runtime
        self._nft_command = ["chroot", str(tools), NFT, "-f", "-"]
        self._services = services
        self._endpoints = endpoints
        self._refuse = refuse
        self._based = False
        self._dirty: set[Key] = set()
        self._work = asyncio.Event()
        self._applied: dict[Key, dict[Frontend, tuple[str, Route]]] = {}
        self._chains = (f"s{number}" for number in itertools.count(1))

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
                await self._apply(dirty)
            except (BoxError, OSError) as error:
                _log.error("service addresses: %s", error)  # one line says it
                # After a failure nothing is known of the rules: make all of them anew.
                self._dirty |= dirty | set(self._applied)
                self._applied.clear()
                self._based = False
                self._work.set()
                await asyncio.sleep(_PAUSE)

    async def _apply(self, dirty: set[Key]) -> None:
        if not self._based:
            _see_packets_once()
            await self._nft(base_rules())
            self._based = True
        wanted = {key: self._wanted(key) for key in dirty}
        script = "\n".join(line for key in dirty for line in self._commands(key, wanted[key]))
        if script:
            await self._nft(script + "\n")
        for key, routes in wanted.items():
            if routes:
                self._applied[key] = routes
            else:
                self._applied.pop(key, None)

    def _wanted(self, key: Key) -> dict[Frontend, tuple[str, Route]]:
        known = self._applied.get(key, {})
        routes = routes_of(self._services(*key), self._endpoints(*key))
        return {
            route.frontend: (
                known[route.frontend][0] if route.frontend in known else next(self._chains),
                route,
            )
            for route in routes
        }

    def _commands(self, key: Key, wanted: dict[Frontend, tuple[str, Route]]) -> Iterator[str]:
        known = self._applied.get(key, {})
        for frontend, (chain, _) in known.items():
            if frontend not in wanted:
                yield from drop_route(frontend, chain)
        for frontend, (chain, route) in wanted.items():
            before = known.get(frontend)
            if before is None or before[1] != route:
                yield from set_route(route, chain, new=before is None, refuse=self._refuse)

    async def _nft(self, script: str) -> None:
        done = await self._runtime.run(self._nft_command, stdin=script.encode())
        if done.status.code != 0:
            raise BoxError(f"nft: {done.stderr.decode(errors='replace').strip()}")
