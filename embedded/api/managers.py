"""Who owns which fields: `metadata.managedFields`, for all writes but server-side apply itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from embedded.api import fieldset
from embedded.api.fieldset import Path
from embedded.api.jsons import Json, now
from embedded.api.types.shape import Shape


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One entry of `managedFields`; the identity is all but time and fields."""

    manager: str
    operation: str
    api_version: str
    subresource: str = ""
    time: str = ""
    fields: frozenset[Path] = frozenset()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tells one entry from another."""
        return self.manager, self.operation, self.api_version, self.subresource

    def owning(self, fields: frozenset[Path]) -> Owner:
        """The owner with other fields; the time moves only if they differ."""
        return self if fields == self.fields else replace(self, fields=fields, time=now())

    def as_json(self) -> Json:
        """The `ManagedFieldsEntry`."""
        entry: Json = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fieldset.encoded(self.fields),
        }
        if self.subresource:
            entry["subresource"] = self.subresource
        return entry


def read(obj: Json) -> list[Owner]:
    """The owners that an object names."""
    return [
        Owner(
            manager=entry.get("manager", ""),
            operation=entry.get("operation", "Update"),
            api_version=entry.get("apiVersion", ""),
            subresource=entry.get("subresource", ""),
            time=entry.get("time") or "",
            fields=fieldset.decoded(entry.get("fieldsV1") or {}),
        )
        for entry in obj["metadata"].get("managedFields") or []
    ]


def write(obj: Json, owners: Iterable[Owner]) -> None:
    """Put the owners that own something into the object, always in the same order."""
    kept = sorted((owner for owner in owners if owner.fields), key=_order)
    entries = [owner.as_json() for owner in kept]
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def _order(owner: Owner) -> tuple[str, ...]:
    return owner.operation, owner.time, *owner.identity


def record_update(shape: Shape, old: Json | None, new: Json, writer: Owner) -> None:
    """Give the writer of an update what it changed, and take that from everybody else."""
    before = fieldset.flatten(shape, old) if old is not None else {}
    written, gone = fieldset.changes(before, fieldset.flatten(shape, new))
    owners = read(old) if old is not None else []
    mine = next((owner for owner in owners if owner.identity == writer.identity), None)
    others = [owner.owning(owner.fields - written - gone) for owner in owners if owner is not mine]
    kept = mine or writer
    write(new, [*others, kept.owning((kept.fields - gone) | written)])


def was_reset(new: Json) -> bool:
    """Whether a writer asks to forget all owners, by an empty list or a single empty entry."""
    return "managedFields" in new["metadata"] and new["metadata"]["managedFields"] in ([], [{}])
