"""One request to a resource, read: where it goes, who asks, what options it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from aiohttp import web

from embedded.api import errors, options, selectors
from embedded.api.access import escalation
from embedded.api.access.attributes import of_request
from embedded.api.access.authorizer import Authorizer
from embedded.api.auth import User
from embedded.api.builtin.rules import unsupported
from embedded.api.jsons import Json
from embedded.api.paths import ResourcePath
from embedded.api.resources import Resource
from embedded.api.selectors import Selector
from embedded.api.writes import Validation, WriteOptions

_DIGITS = 18
"""Digits of a number that all clients can read."""


@dataclass(frozen=True)
class Call:
    """A request to a resource."""

    request: web.BaseRequest
    user: User
    resource: Resource
    path: ResourcePath
    authorizer: Authorizer

    def demand(self, verb: str) -> None:
        """Raise ApiError 403 where the user may not do that to the object, too."""
        asked = of_request(self.request, self.path)._replace(verb=verb)
        self.authorizer.demand(self.user, asked)

    @property
    def key(self) -> tuple[str, str]:
        """The key under which the object is stored."""
        return self.path.namespace, self.path.name

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings that every answer about the resource carries."""
        return (self.resource.deprecation,) if self.resource.deprecation else ()

    def text(self, name: str) -> str:
        """A query parameter, empty where it is not given."""
        return self.request.query.get(name, "")

    def flag(self, name: str) -> bool:
        """A query parameter that is a switch; raises ApiError 400."""
        value = self.text(name).lower()
        if value not in {"", "true", "false", "1", "0"}:
            raise errors.bad_request(f"query parameter {name}: {value!r} is neither true nor false")
        return value in {"true", "1"}

    def number(self, name: str) -> int | None:
        """A query parameter that is a whole number ≥ 0; raises ApiError 400."""
        value = self.text(name)
        if not value:
            return None
        if not value.isdecimal() or len(value) > _DIGITS:
            raise errors.bad_request(f"query parameter {name}: {value!r} is not a whole number")
        return int(value)

    def selector(self) -> Selector:
        """Label and field selector; raises ApiError 400."""
        allowed = ("metadata.name", "metadata.namespace", *self.resource.fields)
        fields = self.text("fieldSelector")
        if self.path.name:
            fields = ",".join(filter(None, (fields, f"metadata.name={self.path.name}")))
        return selectors.parse(
            self.text("labelSelector"), fields, allowed, typed=bool(self.resource.fields)
        )

    def dry_run(self) -> bool:
        """Return whether nothing may be stored; raises ApiError 422."""
        values = self.request.query.getall("dryRun", [])
        if any(value != "All" for value in values):
            cause = unsupported("dryRun", values[0], ("All",))
            raise options.refusal(self.request.method, cause)
        return bool(values)

    def write_options(self, *, applied: bool = False) -> WriteOptions:
        """The options of a write; raises ApiError 400, 422."""
        validation, manager = self.text("fieldValidation"), self.text("fieldManager")
        method, force = self.request.method, self.flag("force")
        options.check_write(method, validation, manager, forced=force and not applied)
        if applied:
            options.check_apply(manager)
        return WriteOptions(
            manager=manager or self._agent(),
            dry_run=self.dry_run(),
            validation=cast("Validation", validation or "Warn"),
            subresource=self.path.subresource,
            admit=self._admit,
        )

    def _admit(self, obj: Json, old: Json | None) -> None:
        escalation.check(self.authorizer, self.user, self.resource, obj, old)

    def _agent(self) -> str:
        # A header may hold any bytes.
        sent = self.request.headers.get("User-Agent", "").encode(errors="surrogateescape")
        agent = sent.decode(errors="replace").split("/")[0]
        return "".join(filter(str.isprintable, agent))[:128] or "unknown"
