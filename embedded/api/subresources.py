"""Subresources that are neither the status nor a stream: scale, binding, token."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from embedded.api import answers, bodies, documents, errors, patching, reads
from embedded.api.auth import Authenticator
from embedded.api.calls import Call
from embedded.api.jsons import Json, at, copied, encode
from embedded.api.keeper import CustomResourceKeeper
from embedded.api.resources import Resource, Scale
from embedded.api.store import Store, Stored
from embedded.api.types.shape import ANY
from embedded.timestamps import now

_DAY = 86400
_SHORTEST_TOKEN = 600
_SUCCESS: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


class Subresources:
    """The handlers of these subresources."""

    def __init__(
        self, store: Store, keeper: CustomResourceKeeper, authenticator: Authenticator
    ) -> None:
        self._store = store
        self._writer = keeper.writer
        self._authenticator = authenticator

    async def scale(self, call: Call) -> web.StreamResponse:
        """GET, PUT or PATCH of a `Scale`."""
        paths = call.resource.scale
        if paths is None:
            raise errors.no_resource()
        if call.request.method == "GET":
            shown = scale_of(call.resource, paths, reads.get(call, self._store).obj)
            return answers.json_answer(encode(shown))
        body = await bodies.raw(call.request)
        kind = bodies.media_type(call.request)
        resource, options = call.resource, call.write_options()

        def change(old: Json) -> Json:
            before = scale_of(resource, paths, old)
            after = _scaled(call, before, kind, body)
            new: Json = copied(old)
            named = at(after, "metadata", "resourceVersion")
            if named:
                new["metadata"]["resourceVersion"] = named
            _put(new, paths.spec, at(after, "spec", "replicas") or 0)
            return new

        stored = self._writer.update(resource, call.key, change, options)
        return answers.json_answer(encode(scale_of(resource, paths, stored.obj)))

    async def bind(self, call: Call) -> web.StreamResponse:
        """POST of a `Binding`: gives a Pod its node."""
        body = bodies.typed("core.Binding", await bodies.read(call.request))
        node, uid = at(body, "target", "name"), at(body, "metadata", "uid")
        if not node:
            raise errors.bad_request("target.name: Required value")
        subject = call.resource.subject(call.path.name)

        def change(old: Json) -> Json:
            if uid and uid != old["metadata"]["uid"]:
                raise errors.conflict(subject, "Precondition failed: the Pod has another uid")
            if old["spec"].get("nodeName"):
                text = f"pod {call.path.name} is already assigned to node"
                raise errors.conflict(subject, f'{text} "{old["spec"]["nodeName"]}"')
            new: Json = copied(old)
            new["spec"]["nodeName"] = node
            return new

        stored = self._writer.update(call.resource, call.key, change, call.write_options())
        if not call.dry_run():
            self._scheduled(call, stored)
        return answers.json_answer(encode(_SUCCESS), 201)

    def _scheduled(self, call: Call, stored: Stored) -> None:
        condition = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now()}
        status = {**stored.obj["status"], "conditions": [condition]}
        self._writer.put(call.resource, {**stored.obj, "status": status})

    async def issue_token(self, call: Call) -> web.StreamResponse:
        """POST of a `TokenRequest` for a ServiceAccount."""
        body = bodies.typed("authentication.TokenRequest", await bodies.read(call.request))
        account = reads.get(call, self._store).obj
        spec = body.get("spec") or {}
        seconds = max(int(spec.get("expirationSeconds") or 3600), _SHORTEST_TOKEN)
        bound = spec.get("boundObjectRef")
        status = self._authenticator.issue(
            account, spec.get("audiences") or [], min(seconds, _DAY), bound
        )
        answer = {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": call.path.name, "namespace": call.path.namespace},
            "spec": {**spec, "expirationSeconds": seconds},
            "status": status,
        }
        return answers.json_answer(encode(answer), 201)


def _object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise errors.bad_request("the body is not an object")
    return body


def scale_of(resource: Resource, paths: Scale, obj: Json) -> Json:
    """The `Scale` of an object."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = at(obj, *paths.selector)
    if selector is None and not resource.custom:
        labels = at(obj, "spec", "selector", "matchLabels") or {}
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": at(obj, *paths.spec) or 0},
        "status": {"replicas": at(obj, *paths.status) or 0, "selector": selector or ""},
    }


def _scaled(call: Call, before: Json, kind: str, body: bytes) -> Json:
    if call.request.method == "PUT":
        return _object(documents.from_json(body))
    change = patching.patch_of(ANY, kind, body, call.resource.subject(call.path.name))
    scaled: Json = change(before)
    return scaled


def _put(obj: Json, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        obj = obj.setdefault(step, {})
    obj[path[-1]] = value
