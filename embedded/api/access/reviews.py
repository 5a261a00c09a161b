"""Questions that are answered without anything being stored: who am I, may I, whose token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from embedded.api import errors
from embedded.api.access.attributes import Attributes
from embedded.api.access.authorizer import NODES, Authorizer
from embedded.api.auth import Authenticator, User
from embedded.api.bodies import typed
from embedded.api.builtin.rules import wrong
from embedded.api.errors import ApiError
from embedded.api.jsons import Json, at

_ACCESS, _IDENTITY = "authorization.k8s.io", "authentication.k8s.io"
_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


@dataclass(frozen=True, kw_only=True)
class Review:
    """A kind of review; `answer` makes its status of its specification."""

    kind: str
    answer: Callable[[Reviews, Json, User], Json]
    namespaced: bool = False


class Reviews:
    """Answers reviews."""

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer

    def answered(
        self, key: tuple[str, str, str], body: Any, user: User, namespace: str = ""
    ) -> Json:
        """The review with its status; raises ApiError 400, 422."""
        review = REVIEWS[key]
        asked = body if isinstance(body, dict) else {}
        message = f"{key[0].removesuffix('.k8s.io')}.{review.kind}"
        spec: Json = typed(message, asked).get("spec") or {}
        if review.namespaced and at(spec, "resourceAttributes", "namespace") != namespace:
            text = f"spec.resourceAttributes.namespace must match namespace: {namespace}"
            raise errors.bad_request(text)
        version = f"{key[0]}/{key[1]}"
        status = review.answer(self, spec, user)
        return {
            "metadata": {},
            **asked,
            "kind": review.kind,
            "apiVersion": version,
            "status": status,
        }

    def self_user(self, _spec: Json, user: User) -> Json:
        """Who asks."""
        return {"userInfo": _user_info(user)}

    def token(self, spec: Json, _user: User) -> Json:
        """Whose token it is."""
        try:
            found = self._authenticator.user_of(spec.get("token") or "")
        except ApiError:
            return {"authenticated": False, "error": "invalid bearer token"}
        return {"authenticated": True, "user": _user_info(found)}

    def self_access(self, spec: Json, user: User) -> Json:
        """Whether who asks may do something."""
        return self._access("SelfSubjectAccessReview", spec, user)

    def access(self, spec: Json, _user: User) -> Json:
        """Whether somebody may do something."""
        name, groups = spec.get("user") or "", tuple(spec.get("groups") or ())
        if not name and not groups:
            cause = wrong("spec.user", "", "at least one of user or group must be specified")
            raise _invalid("SubjectAccessReview", [cause])
        return self._access("SubjectAccessReview", spec, User(name, groups))

    def _access(self, kind: str, spec: Json, user: User) -> Json:
        found, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if (found is None) == (path is None):
            raise _invalid(kind, [wrong("spec.resourceAttributes", None, _ONE_OF)])
        if found is not None:
            parts = (found.get("resource", ""), found.get("subresource", ""))
            asked = Attributes(
                found.get("verb", ""),
                found.get("group", ""),
                "/".join(filter(None, parts)),
                found.get("namespace", ""),
                found.get("name", ""),
            )
        else:
            asked = Attributes(at(path, "verb") or "", path=at(path, "path") or "")
        allowed = self._authorizer.allows(user, asked)
        unresolved = () if allowed else self._authorizer.grants(user, asked.namespace).errors
        reason = self._authorizer.reason(user, asked) if allowed else ""
        status: Json = {"allowed": allowed}
        if reason:
            status["reason"] = reason
        elif unresolved:
            status["reason"] = f"RBAC: {unresolved[0]}"
        return status

    def self_rules(self, spec: Json, user: User) -> Json:
        """All that who asks may do in a namespace."""
        namespace = spec.get("namespace") or ""
        if not namespace:
            text = "no namespace on request"
            raise errors.bad_request(text)
        grants = self._authorizer.grants(user, namespace)
        rules = [rule.as_json() for rule in grants.rules]
        status = {
            "resourceRules": [rule for rule in rules if "nonResourceURLs" not in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
            "incomplete": bool(grants.errors) or NODES in user.groups,
        }
        if grants.errors:
            status["evaluationError"] = ", ".join(grants.errors)
        return status


def _invalid(kind: str, causes: list[errors.Cause]) -> ApiError:
    return errors.invalid(errors.Subject(_ACCESS, "", kind), causes)


def _user_info(user: User) -> Json:
    found: Json = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        found["uid"] = user.uid
    if user.extra:
        found["extra"] = {name: list(values) for name, values in user.extra}
    return found


REVIEWS: Mapping[tuple[str, str, str], Review] = MappingProxyType(
    {
        (_IDENTITY, "v1", "selfsubjectreviews"): Review(
            kind="SelfSubjectReview", answer=Reviews.self_user
        ),
        (_IDENTITY, "v1", "tokenreviews"): Review(kind="TokenReview", answer=Reviews.token),
        (_ACCESS, "v1", "localsubjectaccessreviews"): Review(
            kind="LocalSubjectAccessReview", answer=Reviews.access, namespaced=True
        ),
        (_ACCESS, "v1", "selfsubjectaccessreviews"): Review(
            kind="SelfSubjectAccessReview", answer=Reviews.self_access
        ),
        (_ACCESS, "v1", "selfsubjectrulesreviews"): Review(
            kind="SelfSubjectRulesReview", answer=Reviews.self_rules
        ),
        (_ACCESS, "v1", "subjectaccessreviews"): Review(
            kind="SubjectAccessReview", answer=Reviews.access
        ),
    }
)
"""By group, version and plural."""
