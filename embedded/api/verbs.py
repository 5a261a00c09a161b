"""The verbs on resources: from a request to what is done, and to the answer."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from embedded.api import answers, bodies, documents, patching, reads
from embedded.api.builtin.service_accounts import DEFAULT
from embedded.api.calls import Call
from embedded.api.deletes import DeleteOptions
from embedded.api.jsons import Json, at, encode
from embedded.api.keeper import CustomResourceKeeper
from embedded.api.options import check_propagation
from embedded.api.patching import Applier
from embedded.api.reads import object_answer
from embedded.api.store import Store
from embedded.api.watches import Watch

_PATIENCE = 1.5
"""Seconds in which the controllers make a namespace's default ServiceAccount."""


class Verbs:
    """The verbs on objects and collections."""

    def __init__(self, store: Store, keeper: CustomResourceKeeper) -> None:
        self._store = store
        self._writer = keeper.writer
        self._deleter = keeper.deleter

    async def read(self, call: Call) -> web.StreamResponse:
        """GET: one object, a list, or a watch."""
        if call.flag("watch"):
            return await Watch(call, self._store).answer()
        if call.path.name:
            return reads.get_answer(call, self._store)
        return reads.list_answer(call, self._store)

    async def create(self, call: Call) -> web.StreamResponse:
        """POST to a collection."""
        options = call.write_options()
        body = await bodies.read(call.request, options.repeated)
        await self._default_account(call)
        stored = self._writer.create(call.resource, body, call.path.namespace, options)
        return object_answer(call, stored, 201, tuple(options.warnings))

    async def replace(self, call: Call) -> web.StreamResponse:
        """PUT of an object or of its status."""
        options = call.write_options()
        body = await bodies.read(call.request, options.repeated)
        stored = self._writer.update(call.resource, call.key, lambda _old: body, options)
        return object_answer(call, stored, warnings=tuple(options.warnings))

    async def finalize(self, call: Call) -> web.StreamResponse:
        """PUT of a Namespace's own finalizers; the Namespace goes with the last of them."""
        body = await bodies.read(call.request)
        options = call.write_options()

        def change(old: Json) -> Json:
            named = {"resourceVersion": at(body, "metadata", "resourceVersion") or ""}
            meta = {**old["metadata"], **named}
            return {**old, "metadata": meta, "spec": body.get("spec") or {}}

        stored = self._writer.update(call.resource, call.key, change, options)
        return object_answer(call, stored)

    async def patch(self, call: Call) -> web.StreamResponse:
        """PATCH of an object or of its status."""
        kind, body = bodies.media_type(call.request), await bodies.raw(call.request)
        if kind == patching.APPLY:
            await self._default_account(call)
            return self._apply(call, documents.from_yaml(body))
        options = call.write_options()
        change = patching.change_of(call.resource, kind, body, call.path.name)
        stored = self._writer.update(call.resource, call.key, change, options)
        return object_answer(call, stored, warnings=tuple(options.warnings))

    async def _default_account(self, call: Call) -> None:
        """Give a new namespace a moment to get its ServiceAccount, which Pods there need."""
        namespace = call.path.namespace
        if (call.resource.group, call.resource.plural) != ("", "pods"):
            return
        if ("", namespace) not in self._store.collection("", "namespaces").objects:
            return
        accounts = self._store.collection("", "serviceaccounts")
        key, until = (namespace, DEFAULT), time.monotonic() + _PATIENCE
        while key not in accounts.objects and (left := until - time.monotonic()) > 0:
            await accounts.changed(lambda event: event.now.key == key, left)

    def _apply(self, call: Call, body: Any) -> web.StreamResponse:
        options = call.write_options(applied=True)
        if call.key not in call.resource.collection(self._store).objects:
            call.demand("create")
        applier = Applier(self._writer, call.resource, options)
        stored, created = applier.run(call.key, body, force=call.flag("force"))
        code = 201 if created else 200
        return object_answer(call, stored, code, tuple(options.warnings))

    async def delete(self, call: Call) -> web.StreamResponse:
        """DELETE of one object."""
        options = await delete_options(call)
        stored, gone = self._deleter.delete(call.resource, call.key, options)
        if not gone or call.resource.returns_deleted:
            return object_answer(call, stored)
        subject = call.resource.subject(call.path.name)
        details = subject.details(uid=at(stored.obj, "metadata", "uid"))
        return answers.json_answer(encode(_success(details)), warnings=call.warnings)

    async def delete_collection(self, call: Call) -> web.StreamResponse:
        """DELETE of all objects that the selectors let through."""
        options = await delete_options(call)
        selector = call.selector()
        objects = call.resource.collection(self._store).within(call.path.namespace)
        chosen = [key for key in sorted(objects) if selector.matches(objects[key].obj)]
        items = []
        for key in chosen:
            stored, _ = self._deleter.delete(call.resource, key, options)
            items.append(answers.whole(call.resource, stored))
        head = {
            "kind": call.resource.list_kind or f"{call.resource.kind}List",
            "apiVersion": call.resource.api_version,
            "metadata": {"resourceVersion": str(self._store.version)},
        }
        return answers.json_answer(answers.listing(head, items), warnings=call.warnings)


def _success(details: Json) -> Json:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


async def delete_options(call: Call) -> DeleteOptions:
    """The options of a deletion, from the body and the query; raises ApiError 400, 422."""
    body: Json = {}
    if call.request.can_read_body and await call.request.read():
        body = bodies.typed("meta.DeleteOptions", await bodies.read(call.request))
    conditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds")
    orphan = body.get("orphanDependents")
    propagation = body.get("propagationPolicy") or call.text("propagationPolicy")
    check_propagation(propagation, orphan)
    if orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    return DeleteOptions(
        grace=call.number("gracePeriodSeconds") if grace is None else grace,
        propagation=propagation or "",
        uid=conditions.get("uid") or "",
        version=conditions.get("resourceVersion") or "",
        dry_run=call.dry_run() or bool(body.get("dryRun")),
    )
