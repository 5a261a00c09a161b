"""One request to a resource, read: where it goes, who asks, what options it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from embedded.api import errors, selectors
from embedded.api.auth import User
from embedded.api.paths import ResourcePath
from embedded.api.resources import Resource
from embedded.api.selectors import Selector
from embedded.api.writes import Validation, WriteOptions

_VALIDATIONS = ("Strict", "Warn", "Ignore")


@dataclass(frozen=True)
class Call:
    """A request to a resource."""

    request: web.BaseRequest
    user: User
    resource: Resource
    path: ResourcePath

    @property
    def key(self) -> tuple[str, str]:
        """The key under which the object is stored."""
        return self.path.namespace, self.path.name

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
        if not value.isdecimal():
            raise errors.bad_request(f"query parameter {name}: {value!r} is not a whole number")
        return int(value)

    def selector(self) -> Selector:
        """Label and field selector; raises ApiError 400."""
        allowed = ("metadata.name", "metadata.namespace", *self.resource.fields)
        fields = self.text("fieldSelector")
        if self.path.name:
            fields = ",".join(filter(None, (fields, f"metadata.name={self.path.name}")))
        return selectors.parse(self.text("labelSelector"), fields, allowed)

    def dry_run(self) -> bool:
        """Return whether nothing may be stored; raises ApiError 400."""
        values = self.request.query.getall("dryRun", [])
        if any(value != "All" for value in values):
            raise errors.bad_request(f"dryRun: {values[0]!r} is not supported, only All is")
        return bool(values)

    def write_options(self) -> WriteOptions:
        """The options of a write; raises ApiError 400."""
        validation: Any = self.text("fieldValidation") or "Warn"
        if validation not in _VALIDATIONS:
            raise errors.bad_request(
                f"fieldValidation: {validation!r} is not one of {_VALIDATIONS}"
            )
        return WriteOptions(
            manager=self.text("fieldManager") or self._agent(),
            dry_run=self.dry_run(),
            validation=cast("Validation", validation),
            subresource=self.path.subresource,
        )

    def _agent(self) -> str:
        agent = self.request.headers.get("User-Agent", "")
        return agent.split("/")[0][:128] or "unknown"
