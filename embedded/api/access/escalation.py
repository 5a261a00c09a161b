"""Nobody grants what they do not hold: the check of each role and binding that is written."""

from __future__ import annotations

import json

from embedded.api import errors
from embedded.api.access.attributes import Attributes
from embedded.api.access.authorizer import GROUP, MASTERS, Authorizer
from embedded.api.access.rules import Rule, not_covered, read
from embedded.api.auth import User
from embedded.api.errors import ApiError, Subject
from embedded.api.jsons import Json
from embedded.api.resources import Resource

_ROLES = ("roles", "clusterroles")
_ALL = (Rule(verbs=("*",), groups=("*",), resources=("*",)), Rule(verbs=("*",), urls=("*",)))


def check(
    authorizer: Authorizer, user: User, resource: Resource, obj: Json, old: Json | None
) -> None:
    """Raise ApiError 403, 404 where a role or binding gives more than its writer has."""
    if resource.group != GROUP or MASTERS in user.groups:
        return
    if resource.plural in _ROLES:
        _check_role(authorizer, user, resource, obj, old)
    else:
        _check_binding(authorizer, user, resource, obj, old)


def _check_role(
    authorizer: Authorizer, user: User, resource: Resource, obj: Json, old: Json | None
) -> None:
    fields = ("rules", "aggregationRule")
    if old is not None and all(obj.get(name) == old.get(name) for name in fields):
        return
    meta = obj["metadata"]
    namespace, name = meta.get("namespace", ""), meta["name"]
    if authorizer.allows(user, Attributes("escalate", GROUP, resource.plural, namespace, name)):
        return
    wanted = read(obj.get("rules"))
    _demand(authorizer, user, resource.subject(name), namespace, wanted)
    if obj.get("aggregationRule") and not_covered(authorizer.grants(user, "").rules, _ALL):
        raise errors.forbidden(
            resource.subject(name), "must have cluster-admin privileges to use an aggregationRule"
        )


def _check_binding(
    authorizer: Authorizer, user: User, resource: Resource, obj: Json, old: Json | None
) -> None:
    fields = ("roleRef", "subjects")
    if old is not None and all(obj.get(name) == old.get(name) for name in fields):
        return
    meta, reference = obj["metadata"], obj["roleRef"]
    namespace, name = meta.get("namespace", ""), reference.get("name", "")
    plural = f"{reference.get('kind', '').lower()}s"
    if authorizer.allows(user, Attributes("bind", GROUP, plural, namespace, name)):
        return
    wanted = authorizer.role_rules(reference, namespace)
    if wanted is None:
        raise errors.not_found(Subject(GROUP, plural, "", name))
    _demand(authorizer, user, resource.subject(meta["name"]), namespace, wanted)


def _demand(
    authorizer: Authorizer, user: User, subject: Subject, namespace: str, wanted: tuple[Rule, ...]
) -> None:
    grants = authorizer.grants(user, namespace)
    missing = not_covered(grants.rules, wanted)
    if missing:
        raise _refusal(user, subject, missing, grants.errors)


def _refusal(
    user: User, subject: Subject, missing: list[Rule], unresolved: tuple[str, ...]
) -> ApiError:
    groups = " ".join(json.dumps(group) for group in user.groups)
    lines = "\n".join(map(str, missing))
    text = (
        f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not '
        f"currently held:\n{lines}"
    )
    if unresolved:
        text += f"; resolution errors: [{', '.join(unresolved)}]"
    return errors.forbidden(subject, text)
