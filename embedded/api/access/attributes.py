"""What a request asks for, in the words of roles: a verb on a resource, or on a path."""

from __future__ import annotations

from typing import NamedTuple

from aiohttp import web

from embedded.api.errors import ApiError, Subject
from embedded.api.paths import ResourcePath

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAME = "metadata.name="


class Attributes(NamedTuple):
    """A verb on a resource; where `path` is set, on that path outside of the resources."""

    verb: str
    group: str = ""
    resource: str = ""
    """The plural, with the subresource behind a slash: `pods/log`."""
    namespace: str = ""
    """Empty for the cluster scope, and for all namespaces."""
    name: str = ""
    path: str = ""


def of_request(request: web.BaseRequest, path: ResourcePath) -> Attributes:
    """What a request to a resource asks for."""
    verb, name = _VERBS.get(request.method, "get"), path.name
    if not name and verb in {"get", "delete"}:
        name = _selected(request)
        if verb == "delete":
            verb = "deletecollection"
        else:
            verb = "watch" if request.query.get("watch") in {"1", "true"} else "list"
    resource = f"{path.plural}/{path.subresource}" if path.subresource else path.plural
    namespace = path.namespace
    if path.plural == "namespaces" and not path.group:
        # A Namespace counts as being in itself.
        namespace = path.name
    return Attributes(verb, path.group, resource, namespace, name)


def of_path(request: web.BaseRequest) -> Attributes:
    """What a request to any other path asks for."""
    verb = _VERBS.get(request.method, request.method.lower())
    return Attributes(verb, path=request.path)


def _selected(request: web.BaseRequest) -> str:
    """The one name that the field selector lets through."""
    for term in request.query.get("fieldSelector", "").split(","):
        if term.startswith(_NAME):
            return term.removeprefix(_NAME).removeprefix("=")
    return ""


def forbidden(user: str, asked: Attributes, reason: str = "") -> ApiError:
    """403: the user may not do that."""
    why = f": {reason}" if reason else ""
    if asked.path:
        text = f'forbidden: User "{user}" cannot {asked.verb} path "{asked.path}"{why}'
        return ApiError(403, "Forbidden", text, {})
    plural = asked.resource.split("/")[0]
    subject = Subject(asked.group, plural, "", asked.name)
    scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    named = f'{subject.qualified} "{asked.name}"' if asked.name else subject.qualified
    text = (
        f'{named} is forbidden: User "{user}" cannot {asked.verb} resource "{asked.resource}" '
        f'in API group "{asked.group}" {scope}{why}'
    )
    return ApiError(403, "Forbidden", text, subject.details())
