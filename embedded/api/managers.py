"""Owners of fields, `metadata.managedFields`, for all writes but server-side apply itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from embedded.api import fieldset
from embedded.api.fieldset import Path
from embedded.api.jsons import Json
from embedded.api.types.shape import Shape
from embedded.timestamps import now


@dataclass(frozen=True, eq=False)
class Owner:
    """One entry of `managedFields`. Most are handed on unread: reading them is what costs."""

    entry: Json
    """The `ManagedFieldsEntry`; must not be changed."""

    @cached_property
    def fields(self) -> frozenset[Path]:
        """The fields that are owned."""
        return fieldset.decoded(self.entry.get("fieldsV1") or {})

    @property
    def name(self) -> str:
        """The manager."""
        return str(self.entry.get("manager", ""))

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """The identity of an entry: all but time and fields."""
        get = self.entry.get
        return (
            get("operation", "Update"),
            get("manager", ""),
            get("apiVersion", ""),
            get("subresource", ""),
        )

    @property
    def order(self) -> tuple[str, ...]:
        """The order of the entry among others."""
        operation, *rest = self.identity
        return operation, self.entry.get("time") or "", *rest

    def owning(self, fields: frozenset[Path]) -> Owner:
        """The owner with other fields; the time moves only if they differ."""
        if fields == self.fields:
            return self
        return Owner({**self.entry, "time": now(), "fieldsV1": fieldset.encoded(fields)})

    def without(self, paths: frozenset[Path]) -> Owner:
        """The owner without some fields."""
        steps = {path[0] for path in paths}
        if steps.isdisjoint(self.entry.get("fieldsV1") or ()):
            return self
        return self.owning(self.fields - paths)


def owner(manager: str, operation: str, api_version: str, subresource: str) -> Owner:
    """A new owner, of nothing yet."""
    entry: Json = {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": now(),
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    return Owner({**entry, "subresource": subresource} if subresource else entry)


def read(obj: Json) -> list[Owner]:
    """The owners that an object names."""
    return [Owner(entry) for entry in obj["metadata"].get("managedFields") or []]


def write(obj: Json, owners: Iterable[Owner]) -> None:
    """Put the owners that own something into the object, always in the same order."""
    entries = [
        found.entry
        for found in sorted(owners, key=lambda found: found.order)
        if found.entry.get("fieldsV1")
    ]
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def record_update(shape: Shape, old: Json | None, new: Json, writer: Owner) -> None:
    """Give the writer of an update what it changed, and take that from everybody else."""
    before = old or {"metadata": {}}
    names = [name for name in new.keys() | before.keys() if new.get(name) != before.get(name)]
    written, gone = fieldset.changes(
        fieldset.flatten(
            shape, {name: before[name] for name in names if name in before}, maps=True
        ),
        fieldset.flatten(shape, {name: new[name] for name in names if name in new}, maps=True),
    )
    owners = read(before)
    mine = next((found for found in owners if found.identity == writer.identity), writer)
    others = [found.without(written | gone) for found in owners if found is not mine]
    if written or gone & mine.fields:
        mine = mine.owning((mine.fields - gone) | written)
    write(new, [*others, mine])


def before_first_apply(shape: Shape, obj: Json) -> Json:
    """An object without owners, given one for all that it has: so that an apply removes nothing."""
    found = owner("before-first-apply", "Update", obj["apiVersion"], "")
    entry = found.owning(frozenset(fieldset.flatten(shape, obj, maps=True))).entry
    return {**obj, "metadata": {**obj["metadata"], "managedFields": [entry]}}


def was_reset(new: Json) -> bool:
    """Return whether a writer drops all owners, by an empty list or a single empty entry."""
    return "managedFields" in new["metadata"] and new["metadata"]["managedFields"] in ([], [{}])
