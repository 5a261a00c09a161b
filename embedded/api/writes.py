"""Create, update and delete: the order in which a real server does things to an object.

Every method is synchronous from the look at the store to the write: one write is never seen half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from embedded.api import errors, managers, metadata
from embedded.api.jsons import Json, same
from embedded.api.managers import Owner
from embedded.api.resources import Resource, World
from embedded.api.store import Collection, Stored

Validation = Literal["Strict", "Warn", "Ignore"]


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """The options of one write; warnings are collected for the answer's headers."""

    manager: str = "unknown"
    dry_run: bool = False
    validation: Validation = "Warn"
    subresource: str = ""
    warnings: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    """Paths of members that the body has twice."""
    admit: Callable[[Json, Json | None], None] = lambda _new, _old: None
    """Raises ApiError where the new object, given the old one, is not for the writer to store."""


Change = Callable[[Json], Json]
"""From the old object to the new one; must not touch the old one."""
Owners = Callable[[Json, Json], None]
"""Writes the owners into the new object (second), given the old one."""


class Keeper(Protocol):
    """The observer of what is stored: custom resources come and go with their definitions."""

    def check(self, resource: Resource, obj: Json) -> None:
        """Raise ApiError 422 for an object that `observe` could do nothing with."""
        ...

    def observe(self, resource: Resource, obj: Json) -> None:
        """An object was stored."""
        ...

    def forget(self, resource: Resource, obj: Json) -> None:
        """An object was removed."""
        ...

    def terminating(self, resource: Resource) -> bool:
        """Return whether the definition of a custom resource is being deleted."""
        ...


class Writer:
    """All writes go through here."""

    def __init__(self, world: World, keeper: Keeper) -> None:
        self._world = world
        self.store = world.store
        self._keeper = keeper

    def create(
        self,
        resource: Resource,
        body: Json,
        namespace: str,
        options: WriteOptions,
        *,
        name: str = "",
        owners: list[Owner] | None = None,
    ) -> Stored:
        """Store a new object; raises ApiError 400, 403, 404, 409, 422."""
        obj = self.read(resource, body, options)
        metadata.place(resource, obj, namespace, name)
        meta = obj["metadata"]
        self._demand_home(resource, meta)
        if meta.get("resourceVersion") not in (None, ""):
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        meta.pop("resourceVersion", None)
        collection = resource.collection(self.store)
        metadata.stamp(resource, meta)
        if resource.status and resource.custom:
            obj.pop("status", None)
        resource.rules.default(obj)
        self._own(resource, obj, options, owners)
        resource.rules.admit(obj, self._world)
        self._name(collection, meta)
        resource.rules.create(obj, self._world)
        self._validate(resource, obj, None)
        self._keeper.check(resource, obj)
        options.admit(obj, None)
        options.warnings.extend(resource.rules.warnings(obj))
        if (meta.get("namespace", ""), meta["name"]) in collection.objects:
            raise errors.already_exists(resource.subject(meta["name"]))
        return self._put(resource, obj, None, options)

    def update(
        self,
        resource: Resource,
        key: tuple[str, str],
        change: Change,
        options: WriteOptions,
        owners: Owners | None = None,
    ) -> Stored:
        """Store what `change` makes of an object; the object itself where nothing changed.

        Raises ApiError 400, 404, 409, 422.
        """
        collection = resource.collection(self.store)
        current = collection.objects.get(key)
        if current is None:
            raise errors.not_found(resource.subject(key[1]))
        old = resource.from_storage(current.obj)
        body = _written(resource, change(old), old, options.subresource)
        new = self.read(resource, body, options)
        metadata.place(resource, new, key[0], key[1])
        metadata.keep(resource, new, old)
        new = self._part(resource, new, old, options.subresource)
        if not options.subresource:
            resource.rules.update(new, old, self._world)
        self._count(resource, new, old)
        if owners is not None:
            owners(old, new)
        else:
            self._record(resource, old, new, options)
        self._validate(resource, new, old)
        self._keeper.check(resource, new)
        if same(new, old):
            return current
        options.admit(new, old)
        options.warnings.extend(resource.rules.warnings(new))
        return self._put(resource, new, current, options)

    def read(self, resource: Resource, body: Json, options: WriteOptions) -> Json:
        """A body as an object of the resource; raises ApiError 400."""
        unknown: list[str] = []
        obj = self.parse(resource, body, unknown)
        self._unknown(resource, unknown, options)
        return obj

    def parse(self, resource: Resource, body: Json, unknown: list[str]) -> Json:
        """The same, and unknown fields are listed; raises ApiError 400."""
        if not isinstance(body, dict):
            raise errors.bad_request("the object provided is not a JSON object")
        body.setdefault("apiVersion", resource.api_version)
        body.setdefault("kind", resource.kind)
        if (body["apiVersion"], body["kind"]) != (resource.api_version, resource.kind):
            raise _misplaced(resource, body)
        if not isinstance(body.get("metadata", {}), dict):
            raise errors.bad_request("metadata: expected an object")
        try:
            obj = resource.rules.read(body, unknown)
        except errors.ApiError as error:
            raise errors.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a '
                f"{resource.kind}: {error.message}"
            ) from error
        obj.setdefault("metadata", {})
        return obj

    def _unknown(self, resource: Resource, unknown: list[str], options: WriteOptions) -> None:
        if not (unknown or options.repeated) or options.validation == "Ignore":
            return
        texts = [f'duplicate field "{name}"' for name in options.repeated]
        texts += [f'unknown field "{name}"' for name in unknown]
        if options.validation == "Warn":
            options.warnings.extend(texts)
            return
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a '
            f"{resource.kind}: strict decoding error: {', '.join(texts)}"
        )

    def _demand_home(self, resource: Resource, meta: Json) -> None:
        if self._keeper.terminating(resource):
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(resource.subject(meta.get("name", "")), why)
        if not resource.namespaced:
            return
        name = meta["namespace"]
        found = self._world.collection("", "namespaces").objects.get(("", name))
        if found is None:
            raise errors.not_found(errors.Subject("", "namespaces", "Namespace", name))
        if found.obj["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {name} because it is being terminated"
            text = f"namespace {name} is being terminated"
            cause = errors.Cause(
                field="metadata.namespace", reason="NamespaceTerminating", message=text
            )
            raise errors.forbidden(resource.subject(meta.get("name", "")), why, [cause])

    def _name(self, collection: Collection, meta: Json) -> None:
        if meta.get("name") or not meta.get("generateName"):
            return
        while (
            not meta.get("name") or (meta.get("namespace", ""), meta["name"]) in collection.objects
        ):
            meta["name"] = metadata.generated_name(meta["generateName"])

    def _part(self, resource: Resource, new: Json, old: Json, subresource: str) -> Json:
        """Return the new object as far as the request may write it; the rest is the old one's."""
        # What is the old one's is shared with it: nothing may change it in place.
        if subresource == "status":
            resource.rules.default_status(new)
            return _with_status({**old, "metadata": {**old["metadata"]}}, new)
        resource.rules.default(new)
        member = resource.parts.get(subresource)
        if member:
            spec = {**old["spec"], member: new["spec"].get(member) or []}
            new = {**old, "metadata": {**old["metadata"]}, "spec": spec}
        return _with_status(new, old) if resource.status else new

    def _count(self, resource: Resource, new: Json, old: Json) -> None:
        if not resource.generation:
            return
        apart = {"metadata", "apiVersion", "kind", *(["status"] if resource.status else [])}
        names = (new.keys() | old.keys()) - apart
        if any(not same(new.get(name), old.get(name)) for name in names):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def _record(self, resource: Resource, old: Json, new: Json, options: WriteOptions) -> None:
        if managers.was_reset(new):
            new["metadata"].pop("managedFields")
            if "managedFields" in old["metadata"]:
                return
        writer = self._writer(resource, options)
        managers.record_update(resource.shape, old, new, writer)

    def _own(
        self, resource: Resource, obj: Json, options: WriteOptions, owners: list[Owner] | None
    ) -> None:
        """Write the owners of a new object: of what was sent and defaulted, not of what follows."""
        if owners is not None:
            managers.write(obj, owners)
            return
        obj["metadata"].pop("managedFields", None)
        sent = {**obj}
        if resource.status:
            sent.pop("status", None)
        managers.record_update(resource.shape, None, sent, self._writer(resource, options))

    def _writer(self, resource: Resource, options: WriteOptions) -> Owner:
        return managers.owner(options.manager, "Update", resource.api_version, options.subresource)

    def _validate(self, resource: Resource, new: Json, old: Json | None) -> None:
        causes = [
            *metadata.check(resource, new["metadata"], old),
            *resource.rules.validate(new, old),
        ]
        if causes:
            raise errors.invalid(resource.subject(new["metadata"].get("name", "")), causes)

    def _put(
        self,
        resource: Resource,
        obj: Json,
        current: Stored | None,
        options: WriteOptions,
    ) -> Stored:
        if options.dry_run:
            return Stored(resource.to_storage(obj), current.version if current else 0)
        if current is not None and is_finished(obj):
            return self.remove(resource, resource.to_storage(obj))
        return self.put(resource, resource.to_storage(obj))

    def put(self, resource: Resource, obj: Json) -> Stored:
        """Store an object in its storage form as it is, and tell the keeper."""
        stored = self.store.put(resource.collection(self.store), obj)
        self._keeper.observe(resource, stored.obj)
        return stored

    def remove(self, resource: Resource, obj: Json) -> Stored:
        """Remove an object in its storage form, and tell the keeper."""
        stored = self.store.remove(resource.collection(self.store), obj)
        self._keeper.forget(resource, stored.obj)
        return stored


def _misplaced(resource: Resource, body: Json) -> errors.ApiError:
    version, kind = body["apiVersion"], body["kind"]
    if kind != resource.kind:
        return errors.bad_request(
            f"{kind} in version {str(version).rpartition('/')[2]!r} cannot be handled as a "
            f"{resource.kind}: converting ({version}, {kind}) to ({resource.api_version}, "
            f"{resource.kind}): unknown conversion"
        )
    return errors.bad_request(
        f"the API version in the data ({version}) does not match the expected API version "
        f"({resource.api_version})"
    )


def _written(resource: Resource, body: Json, old: Json, subresource: str) -> Json:
    """The body without what is the old object's still, and stays so however the body is read."""
    if not isinstance(body, dict):
        return body
    if subresource == "status":
        apart = body.keys() - {"apiVersion", "kind", "metadata", "status"}
    else:
        apart = {"status"} if resource.status else set()
    return {
        name: value
        for name, value in body.items()
        if name not in apart or value is not old.get(name)
    }


def _with_status(obj: Json, source: Json) -> Json:
    if "status" in source:
        obj["status"] = source["status"]
    else:
        obj.pop("status", None)
    return obj


def is_finished(obj: Json) -> bool:
    """Return whether nothing keeps an object that is being deleted any more."""
    meta = obj["metadata"]
    return bool(
        meta.get("deletionTimestamp")
        and not meta.get("finalizers")
        and not meta.get("deletionGracePeriodSeconds")
        and not (obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers"))
    )
