"""Answers, in the form that the client asked for: whole objects, their metadata, or a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from aiohttp import web

from embedded.api import errors, tables
from embedded.api.jsons import Json, encode
from embedded.api.resources import Resource
from embedded.api.store import Stored

_META = "meta.k8s.io"
_YAML = "application/yaml"
_PROTOBUF = "application/vnd.kubernetes.protobuf"
# A client that asks for protobuf goes by what the answer says of itself, which is JSON.
_SERVED = frozenset({"application/json", _YAML, _PROTOBUF, "*/*", "application/*"})
_FORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})
_LONGEST_WARNING = 1024
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


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
    """The first form in `Accept` that is served; raises ApiError 406 where none is."""
    accept = request.headers.get("Accept", "")
    for choice in accept.split(",") if accept else ():
        media, *parameters = (part.strip() for part in choice.split(";"))
        options = dict(part.split("=", 1) for part in parameters if "=" in part)
        if media not in _SERVED:
            continue
        form = options.get("as", "")
        if not form:
            return View()
        if options.get("g", _META) == _META and form in _FORMS:
            include = request.query.get("includeObject", "Metadata")
            return View(form, options.get("v", "v1"), include)
    if accept:
        raise errors.not_acceptable()
    return View()


def as_accepted(request: web.BaseRequest, answer: web.Response) -> web.Response:
    """An answer in JSON, or the same in YAML for a client that would rather have that."""
    accept = request.headers.get("Accept", "")
    if "yaml" not in accept or answer.content_type != "application/json":
        return answer
    for choice in accept.split(","):
        media = choice.split(";")[0].strip()
        if media in {"application/json", "*/*", "application/*"}:
            break
        if media == _YAML:
            body = json.loads(answer.text or "null")
            text = yaml.dump(body, Dumper=_Dumper, allow_unicode=True)
            answer.body, answer.content_type = text.encode(), _YAML
            break
    return answer


def whole(resource: Resource, stored: Stored) -> bytes:
    """An object in the version of the resource."""
    if stored.obj.get("apiVersion") == resource.api_version:
        return stored.encoded
    return encode(resource.from_storage(stored.obj))


def json_answer(body: bytes, code: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    """An answer with its warnings as headers."""
    answer = web.Response(body=body, status=code, content_type="application/json")
    warn(answer, warnings)
    return answer


def warn(answer: web.StreamResponse, warnings: Iterable[str]) -> None:
    """Put warnings into the headers of an answer."""
    for text in dict.fromkeys(warnings):
        # Names that a client chose are in it: of a header they may not be the end.
        line = "".join(sign if sign.isprintable() else "?" for sign in text[:_LONGEST_WARNING])
        quoted = line.replace("\\", "\\\\").replace('"', '\\"')
        answer.headers.add("Warning", f'299 - "{quoted}"')


def listing(head: Json, items: Iterable[bytes]) -> bytes:
    """A list, put together from encoded items."""
    return encode(head)[:-1] + b',"items":[' + b",".join(items) + b"]}"
