"""The rules in force for each Service, and the scripts that bring them to the wanted ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from embedded.client.store import Key
from embedded.node.network.rules import Frontend, Route, drop_route, own_addresses, set_route

Held = Mapping[Frontend, tuple[str, Route]]
"""By frontend the chain of a route, and the route."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A script for nft, empty where nothing changes, and what the rules hold once it was taken."""

    script: str
    held: Mapping[Key, Held]


class RuleBook:
    """The routes that are in force, by the Service's key.

    `refuse` is an address and port where nobody listens: where Services without Pods lead.
    """

    def __init__(self, refuse: str) -> None:
        self._refuse = refuse
        self._chains = (f"s{number}" for number in itertools.count(1))
        self._held: dict[Key, Held] = {}

    @property
    def keys(self) -> frozenset[Key]:
        """The Services that have routes."""
        return frozenset(self._held)

    def plan(self, wanted: Mapping[Key, Sequence[Route]]) -> Plan:
        """Work out how the routes of some Services become those wanted; nothing changes yet.

        All drops come before all that is set: a Service may get the address of one that goes.
        """
        held = {key: self._chained(key, routes) for key, routes in wanted.items()}
        lines = [line for key in held for line in self._drops(key, held[key])]
        lines += [line for key in held for line in self._sets(key, held[key])]
        before, after = self._own(self._held), self._own({**self._held, **held})
        lines += own_addresses(gone=before - after, new=after - before)
        return Plan(script="".join(f"{line}\n" for line in lines), held=held)

    def shrunk(self, key: Key, wanted: Iterable[Route]) -> list[Route]:
        """Return those of a Service's routes, as they are, whose frontends stay."""
        staying = {route.frontend for route in wanted}
        held = self._held.get(key, {})
        return [route for frontend, (_, route) in held.items() if frontend in staying]

    def took(self, plan: Plan) -> None:
        """Take note that a plan's script is in force."""
        for key, held in plan.held.items():
            if held:
                self._held[key] = held
            else:
                self._held.pop(key, None)

    def clear(self) -> None:
        """Take note that the rules hold nothing."""
        self._held.clear()

    def _chained(self, key: Key, routes: Iterable[Route]) -> Held:
        known = self._held.get(key, {})
        return {
            route.frontend: (
                known[route.frontend][0] if route.frontend in known else next(self._chains),
                route,
            )
            for route in routes
        }

    def _drops(self, key: Key, wanted: Held) -> Iterable[str]:
        for frontend, (chain, _) in self._held.get(key, {}).items():
            if frontend not in wanted:
                yield from drop_route(frontend, chain)

    def _sets(self, key: Key, wanted: Held) -> Iterable[str]:
        known = self._held.get(key, {})
        for frontend, (chain, route) in wanted.items():
            before = known.get(frontend)
            if before is None or before[1] != route:
                yield from set_route(route, chain, new=before is None, refuse=self._refuse)

    def _own(self, held: Mapping[Key, Held]) -> frozenset[str]:
        """The addresses of Pods that any route leads to; the node's own is none."""
        node = self._refuse.partition(":")[0]
        routes = (route for routes in held.values() for _, route in routes.values())
        return frozenset(ip for route in routes for ip, _ in route.backends if ip != node)
