"""ClusterRoles that are put together from others, by labels."""

from __future__ import annotations

from embedded.api import selectors
from embedded.api.jsons import Json
from embedded.api.resources import Resource
from embedded.api.store import Store
from embedded.api.writes import Writer


def aggregate(store: Store, writer: Writer, resource: Resource) -> None:
    """Give each such ClusterRole the rules of those that its selectors choose."""
    collection = resource.collection(store)
    for key in sorted(collection.objects):
        role = collection.objects[key].obj
        chosen = (role.get("aggregationRule") or {}).get("clusterRoleSelectors")
        if chosen is None or role["metadata"].get("deletionTimestamp"):
            continue
        rules = _rules([stored.obj for stored in collection.objects.values()], role, chosen)
        if rules != (role.get("rules") or []):
            writer.put(resource, {**role, "rules": rules})


def _rules(roles: list[Json], role: Json, chosen: list[Json]) -> list[Json]:
    wanted = [selectors.Selector(selectors.from_label_selector(item)) for item in chosen]
    found: list[Json] = []
    for other in sorted(roles, key=_name):
        if _name(other) == _name(role) or not any(item.matches(other) for item in wanted):
            continue
        found += [rule for rule in other.get("rules") or [] if rule not in found]
    return found


def _name(role: Json) -> str:
    return str(role["metadata"]["name"])
