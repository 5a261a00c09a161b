"""The plan of instances: those that there were, and new ones, as many as are asked for."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from embedded.client import Json
from reference.operator.model import Instance, InstanceSet
from reference.operator.names import DATA_OF, INSTANCE, INSTANCE_SET, Names

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, kw_only=True)
class ExistingInstance:
    """An instance that left something behind: a StatefulSet, or a claim with data."""

    name: str
    instance_set: str
    primary: bool
    live: bool


def existing(stateful_sets: Iterable[Json], claims: Iterable[Json]) -> list[ExistingInstance]:
    """Return the instances that there are already, by their StatefulSets and claims."""
    found: dict[str, ExistingInstance] = {}
    for obj in (*claims, *stateful_sets):
        metadata = obj["metadata"]
        labels = metadata.get("labels") or {}
        if metadata.get("deletionTimestamp") or INSTANCE not in labels:
            continue
        name = labels[INSTANCE]
        primary = (metadata.get("annotations") or {}).get(DATA_OF) == "primary"
        before = found.get(name)
        found[name] = ExistingInstance(
            name=name,
            instance_set=labels.get(INSTANCE_SET, ""),
            primary=primary or (before is not None and before.primary),
            live=obj["kind"] == "StatefulSet",
        )
    return sorted(found.values(), key=lambda each: (not each.primary, not each.live, each.name))


def instances(
    names: Names, sets: Iterable[InstanceSet], before: Sequence[ExistingInstance]
) -> list[Instance]:
    """Return the instances to be, the primary first."""
    planned: list[tuple[str, InstanceSet]] = []
    for wanted in sets:
        mine = [each.name for each in before if each.instance_set == wanted.name]
        mine = mine[: wanted.replicas]
        mine += [_new_name(names, wanted) for _ in range(wanted.replicas - len(mine))]
        planned += [(name, wanted) for name in mine]
    primary = _primary([name for name, _ in planned], before)
    chosen = [
        Instance(name=name, instance_set=wanted, role="primary" if name == primary else "replica")
        for name, wanted in planned
    ]
    return sorted(chosen, key=lambda each: each.role != "primary")


def _primary(names: Sequence[str], before: Sequence[ExistingInstance]) -> str:
    """Return the instance whose data is the primary's, or else the first."""
    kept = [each.name for each in before if each.primary and each.name in names]
    return (kept or list(names) or [""])[0]


def _new_name(names: Names, wanted: InstanceSet) -> str:
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(4))
    return names.of(f"{wanted.name}-{suffix}")
