"""GET of one object, and of a list in pages that all show the same moment."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from aiohttp import web

from embedded.api import answers, errors, options
from embedded.api.calls import Call
from embedded.api.jsons import Json, encode
from embedded.api.store import Key, Store, Stored


def get(call: Call, store: Store) -> Stored:
    """The object of a path; raises ApiError 404."""
    found = call.resource.collection(store).objects.get(call.key)
    if found is None:
        raise errors.not_found(call.resource.subject(call.path.name))
    return found


def get_answer(call: Call, store: Store) -> web.Response:
    """One object, in the form asked for."""
    return object_answer(call, get(call, store))


def object_answer(
    call: Call, stored: Stored, code: int = 200, warnings: tuple[str, ...] = ()
) -> web.Response:
    """One object as the answer of whatever was done to it."""
    shown = answers.view(call.request)
    told = (*call.warnings, *warnings)
    return answers.json_answer(shown.of(call.resource, stored), code, told)


def list_answer(call: Call, store: Store) -> web.Response:
    """A list or a page of one; raises ApiError 400, 410, 422, 504."""
    shown = answers.view(call.request)
    options.check_list(
        call.text("resourceVersionMatch"),
        call.text("resourceVersion"),
        call.text("continue"),
        initial=call.flag("sendInitialEvents"),
    )
    start, version = _continued(call.text("continue"))
    objects, version = _objects(call, store, version)
    selector = call.selector()
    keys = [key for key in sorted(objects) if key > start]
    found = [
        objects[key] for key in keys if selector.everything or selector.matches(objects[key].obj)
    ]
    limit = call.number("limit") or 0
    meta: Json = {"resourceVersion": str(version)}
    if limit and len(found) > limit:
        meta["continue"] = _token(found[limit - 1].key, version)
        if selector.everything:
            meta["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    if shown.form == "Table":
        body = encode(shown.table(call.resource, found, meta))
        return answers.json_answer(body, warnings=call.warnings)
    kind = call.resource.list_kind or f"{call.resource.kind}List"
    head = {"kind": kind, "apiVersion": call.resource.api_version, "metadata": meta}
    if shown.form.startswith("Partial"):
        head |= {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
    body = answers.listing(head, (shown.of(call.resource, stored) for stored in found))
    return answers.json_answer(body, warnings=call.warnings)


def _objects(call: Call, store: Store, version: int) -> tuple[Mapping[Key, Stored], int]:
    collection = call.resource.collection(store)
    exact = call.text("resourceVersionMatch") == "Exact"
    asked = version or call.number("resourceVersion") or 0
    if asked > store.version:
        raise errors.gone_too_far(asked, store.version)
    if version or (exact and asked):
        return collection.at(asked, call.path.namespace), asked
    return collection.within(call.path.namespace), store.version


def _token(after: Key, version: int) -> str:
    raw = encode({"v": version, "namespace": after[0], "name": after[1]})
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _continued(token: str) -> tuple[Key, int]:
    if not token:
        return ("", ""), 0
    try:
        raw = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return (raw["namespace"], raw["name"]), int(raw["v"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise errors.bad_request("continue key is not valid") from error
