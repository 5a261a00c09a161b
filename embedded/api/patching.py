"""PATCH: which of the four ways, and what it makes of the object."""

from __future__ import annotations

from typing import Any

from embedded.api import documents, errors, managers, metadata
from embedded.api.errors import ApiError, Subject
from embedded.api.jsons import Json, at, copied
from embedded.api.managers import Owner
from embedded.api.patch import apply, strategic
from embedded.api.patch import json as json_patch
from embedded.api.patch import merge as merge_patch
from embedded.api.resources import Resource
from embedded.api.store import Stored
from embedded.api.types.shape import Shape
from embedded.api.writes import Change, WriteOptions, Writer

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def change_of(resource: Resource, kind: str, body: bytes, name: str) -> Change:
    """Return the change that a patch makes to an object; raises ApiError 400, 415, 422."""
    if kind == STRATEGIC and resource.custom:
        raise errors.unsupported_media(kind, (JSON_PATCH, MERGE, APPLY))
    return patch_of(resource.shape, kind, body, resource.subject(name))


def patch_of(shape: Shape, kind: str, body: bytes, subject: Subject) -> Change:
    """The same for any value; raises ApiError 400, 415, 422."""
    if kind not in {JSON_PATCH, MERGE, STRATEGIC}:
        raise errors.unsupported_media(kind, (JSON_PATCH, MERGE, APPLY, STRATEGIC))
    patch = documents.from_json(body)
    if kind == JSON_PATCH:
        return lambda old: json_patch.patched(copied(old), patch, subject)
    if not isinstance(patch, dict):
        raise errors.bad_request("a merge patch is an object")
    if kind == MERGE:
        return lambda old: merge_patch.merged(old, patch)
    return lambda old: strategic.merged(shape, old, patch)


class Applier:
    """Server-side apply of one configuration."""

    def __init__(self, writer: Writer, resource: Resource, options: WriteOptions) -> None:
        self._writer = writer
        self._resource = resource
        self._options = options

    def run(self, key: tuple[str, str], body: Any, *, force: bool) -> tuple[Stored, bool]:
        """Apply; the object, and whether it is new. Raises ApiError 400, 404, 409, 422."""
        wanted = self._read(key, body)
        found = self._resource.collection(self._writer.store).objects.get(key)
        if found is not None:
            return self._update(key, wanted, force=force), False
        if self._options.subresource:
            raise errors.not_found(self._resource.subject(key[1]))
        if (wanted["metadata"].get("uid") or "") != "":
            why = "uid mismatch: the provided object specified a uid, and no object was found"
            raise errors.conflict(self._resource.subject(key[1]), why)
        _, owners = self._applied(self._bare(wanted), wanted, force=force)
        wanted["metadata"].pop("resourceVersion", None)
        stored = self._writer.create(
            self._resource, wanted, key[0], self._options, name=key[1], owners=owners
        )
        return stored, True

    def _read(self, key: tuple[str, str], body: Any) -> Json:
        if not isinstance(body, dict) or "apiVersion" not in body or "kind" not in body:
            raise errors.bad_request("an applied object needs apiVersion and kind")
        if at(body, "metadata", "managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        unknown: list[str] = []
        wanted = self._writer.parse(self._resource, body, unknown)
        if unknown:
            raise _undeclared(self._resource, key, unknown)
        metadata.place(self._resource, wanted, *key)
        if self._options.subresource == "status":
            kept = ("apiVersion", "kind", "metadata", "status")
            return {name: value for name, value in wanted.items() if name in kept}
        if self._resource.status:
            wanted.pop("status", None)
        return wanted

    def _update(self, key: tuple[str, str], wanted: Json, *, force: bool) -> Stored:
        owners: list[Owner] = []

        def change(old: Json) -> Json:
            if not old["metadata"].get("managedFields"):
                old = managers.before_first_apply(self._resource.shape, old)
            result, found = self._applied(old, wanted, force=force)
            owners.extend(found)
            return result

        def own(_old: Json, new: Json) -> None:
            managers.write(new, owners)

        quiet = WriteOptions(
            manager=self._options.manager,
            dry_run=self._options.dry_run,
            validation="Ignore",
            subresource=self._options.subresource,
            admit=self._options.admit,
            warnings=self._options.warnings,
        )
        return self._writer.update(self._resource, key, change, quiet, own)

    def _applied(self, live: Json, wanted: Json, *, force: bool) -> tuple[Json, list[Owner]]:
        subject = self._resource.subject(wanted["metadata"].get("name", ""))
        me = managers.owner(
            self._options.manager, "Apply", self._resource.api_version, self._options.subresource
        )
        return apply.applied(self._resource.shape, live, wanted, me, subject, force=force)

    def _bare(self, wanted: Json) -> Json:
        return {"apiVersion": wanted["apiVersion"], "kind": wanted["kind"], "metadata": {}}


def _undeclared(resource: Resource, key: tuple[str, str], unknown: list[str]) -> ApiError:
    where = f"{'/'.join(filter(None, key))}; {resource.api_version}, Kind={resource.kind}"
    errors_of = ", ".join(f".{name}: field not declared in schema" for name in unknown)
    text = f"failed to create typed patch object ({where}): {errors_of}"
    return ApiError(500, "", text)
