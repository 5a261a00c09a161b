"""Which instances a cluster has: those it had, as many as it should have, new ones by chance."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from embedded.client import Json
from reference.faults import Faults, custom
from reference.operator.model import Cluster, InstanceSet
from reference.operator.names import DATA_OF, INSTANCE, INSTANCE_SET
from reference.operator.postgres.hba import Role

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance to be: its name, its set, and its part in replication."""

    name: str
    instance_set: InstanceSet
    role: Role


@dataclass(frozen=True, kw_only=True)
class Known:
    """An instance that left something behind: a StatefulSet, or a claim with data."""

    name: str
    instance_set: str
    primary: bool
    live: bool


def known(stateful_sets: Iterable[Json], claims: Iterable[Json]) -> list[Known]:
    """What is there already, StatefulSets and claims of instances alike."""
    found: dict[str, Known] = {}
    for obj in (*claims, *stateful_sets):
        metadata = obj["metadata"]
        labels = metadata.get("labels") or {}
        if metadata.get("deletionTimestamp") or INSTANCE not in labels:
            continue
        name = labels[INSTANCE]
        primary = (metadata.get("annotations") or {}).get(DATA_OF) == "primary"
        before = found.get(name)
        found[name] = Known(
            name=name,
            instance_set=labels.get(INSTANCE_SET, ""),
            primary=primary or (before is not None and before.primary),
            live=obj["kind"] == "StatefulSet",
        )
    return sorted(found.values(), key=lambda each: (not each.primary, not each.live, each.name))


def instances(
    cluster: Cluster, before: Sequence[Known], faults: Faults, *, custom_leaves: bool
) -> list[Instance]:
    """The instances to be, the primary first."""
    names: list[tuple[str, InstanceSet]] = []
    for number, wanted in enumerate(cluster.instance_sets):
        count = wanted.replicas
        if custom.ONE_CUSTOM_INSTANCE_LESS in faults and custom_leaves and number == 0:
            count = max(1, count - 1)
        mine = [each.name for each in before if each.instance_set == wanted.name][:count]
        mine += [_new_name(cluster, wanted) for _ in range(count - len(mine))]
        names += [(name, wanted) for name in mine]
    primary = _primary([name for name, _ in names], before)
    chosen = [
        Instance(name=name, instance_set=wanted, role="primary" if name == primary else "replica")
        for name, wanted in names
    ]
    return sorted(chosen, key=lambda each: each.role != "primary")


def _primary(names: Sequence[str], before: Sequence[Known]) -> str:
    """The instance whose data is the primary's, or else the first."""
    kept = [each.name for each in before if each.primary and each.name in names]
    return (kept or list(names) or [""])[0]


def _new_name(cluster: Cluster, wanted: InstanceSet) -> str:
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(4))
    return cluster.names.of(f"{wanted.name}-{suffix}")
