"""Answers, in the form that the client asked for: whole objects, their metadata, or a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from embedded.api import tables
from embedded.api.jsons import Json, encode
from embedded.api.resources import Resource
from embedded.api.store import Stored

_META = "meta.k8s.io"


@dataclass(frozen=True)
class View:
    """The form that `Accept` asks for: empty, `Table`, `PartialObjectMetadata` (or its list)."""

    form: str = ""
    version: str = "v1"
    include: str = "Metadata"
    """Of a table: what its rows carry, `Metadata`, `Object` or `None`."""

    def of(self, resource: Resource, stored: Stored) -> bytes:
        """One object, encoded."""
        if self.form.startswith("Partial"):
            return encode(tables.partial(stored.obj))
        if self.form == "Table":
            return encode(self.table(resource, [stored]))
        return whole(resource, stored)

    def table(self, resource: Resource, stored: Iterable[Stored], meta: Json | None = None) -> Json:
        """Objects as a `Table`."""
        return tables.table(resource, stored, include=self.include, version=self.version, meta=meta)


def view(request: web.BaseRequest) -> View:
    """The first form in `Accept` that is served; whole objects else."""
    for choice in request.headers.get("Accept", "").split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        options = dict(part.split("=", 1) for part in parameters if "=" in part)
        if media not in {"application/json", "*/*", "application/*"}:
            continue
        form = options.get("as", "")
        if options.get("g", _META) == _META and form:
            include = request.query.get("includeObject", "Metadata")
            return View(form, options.get("v", "v1"), include)
        if not form:
            break
    return View()


def whole(resource: Resource, stored: Stored) -> bytes:
    """An object in the version of the resource."""
    if stored.obj.get("apiVersion") == resource.api_version:
        return stored.encoded
    return encode(resource.from_storage(stored.obj))


def json_answer(body: bytes, code: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    """An answer with its warnings as headers."""
    answer = web.Response(body=body, status=code, content_type="application/json")
    for text in dict.fromkeys(warnings):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        answer.headers.add("Warning", f'299 - "{quoted}"')
    return answer


def listing(head: Json, items: Iterable[bytes]) -> bytes:
    """A list, put together from encoded items."""
    return encode(head)[:-1] + b',"items":[' + b",".join(items) + b"]}"
