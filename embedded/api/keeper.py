"""Custom resources come and go with their definitions."""

from __future__ import annotations

from collections.abc import Callable

from embedded.api import custom, errors
from embedded.api.access import aggregation
from embedded.api.access.authorizer import GROUP as ACCESS
from embedded.api.builtin import crds
from embedded.api.builtin.rules import wrong
from embedded.api.deletes import DeleteOptions, Deleter
from embedded.api.jsons import Json
from embedded.api.resources import Registry, Resource, World
from embedded.api.writes import Writer


class CustomResourceKeeper:
    """Serves what CRDs define, and empties a CRD that is being deleted before it goes."""

    def __init__(
        self, world: World, registry: Registry, access_changed: Callable[[], None]
    ) -> None:
        self._store = world.store
        self._registry = registry
        self._access_changed = access_changed
        self._crds = world.collection(crds.GROUP, crds.PLURAL)
        self.writer = Writer(world, self)
        self.deleter = Deleter(world, self.writer)

    def check(self, resource: Resource, obj: Json) -> None:
        """Refuse a definition that nothing could be served by; raises ApiError 422."""
        if resource.kind != crds.KIND:
            return
        try:
            tuple(custom.resources(obj))
        except (AttributeError, KeyError, TypeError, ValueError, StopIteration) as error:
            cause = wrong("spec", "", f"it cannot be served: {error!r}")
            name = obj["metadata"].get("name", "")
            raise errors.invalid(resource.subject(name), [cause]) from error

    def observe(self, resource: Resource, obj: Json) -> None:
        """Serve a definition's resources; begin to empty one that is being deleted."""
        if resource.group == ACCESS:
            self._access(resource)
        if resource.kind != crds.KIND:
            return
        name = obj["metadata"]["name"]
        if "deletionTimestamp" not in obj["metadata"]:
            self._registry.install(name, custom.resources(obj))
            return
        served = self._registry.of(name)
        if served:
            for key in list(served[0].collection(self._store).objects):
                self.deleter.delete(served[0], key, DeleteOptions())
        self._release(name)

    def forget(self, resource: Resource, obj: Json) -> None:
        """Serve a removed definition no more; let one go whose last object went."""
        if resource.group == ACCESS:
            self._access(resource)
        elif resource.kind == crds.KIND:
            self._registry.uninstall(obj["metadata"]["name"])
            self._store.drop(obj["spec"]["group"], obj["spec"]["names"]["plural"])
        elif resource.custom:
            self._release(f"{resource.plural}.{resource.group}")

    def _access(self, resource: Resource) -> None:
        self._access_changed()
        if resource.plural == "clusterroles":
            aggregation.aggregate(self._store, self.writer, resource)

    def terminating(self, resource: Resource) -> bool:
        """Return whether the definition of a custom resource is being deleted."""
        found = self._crds.objects.get(("", f"{resource.plural}.{resource.group}"))
        return found is not None and "deletionTimestamp" in found.obj["metadata"]

    def _release(self, name: str) -> None:
        found = self._crds.objects.get(("", name))
        if found is None or "deletionTimestamp" not in found.obj["metadata"]:
            return
        meta, spec = found.obj["metadata"], found.obj["spec"]
        if self._store.collection(spec["group"], spec["names"]["plural"]).objects:
            return
        if crds.FINALIZER in meta.get("finalizers") or []:
            self._drop_finalizer(found.obj)

    def _drop_finalizer(self, crd: Json) -> None:
        rest = [name for name in crd["metadata"]["finalizers"] if name != crds.FINALIZER]
        obj = {**crd, "metadata": {**crd["metadata"], "finalizers": rest}}
        if rest:
            self._store.put(self._crds, obj)
        else:
            self._store.remove(self._crds, obj)
            self.forget(crds.resource(), obj)
