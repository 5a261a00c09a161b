"""Questions that are answered without anything being stored: who am I, may I, whose token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from embedded.api.auth import Authenticator, User
from embedded.api.errors import ApiError
from embedded.api.jsons import Json, at

Review = Callable[[Json, User, Authenticator], Json]


def _access(_body: Json, _user: User, _authenticator: Authenticator) -> Json:
    # Roles are stored and not enforced, so that everybody may do everything.
    return {"allowed": True, "reason": "roles are not enforced by the embedded platform"}


def _user_info(user: User) -> Json:
    info: Json = {"username": user.name, "groups": list(user.groups)}
    return {**info, "uid": user.uid} if user.uid else info


def _self(_body: Json, user: User, _authenticator: Authenticator) -> Json:
    return {"userInfo": _user_info(user)}


def _token(body: Json, _user: User, authenticator: Authenticator) -> Json:
    try:
        found = authenticator.user_of(at(body, "spec", "token") or "")
    except ApiError:
        return {"authenticated": False, "error": "invalid bearer token"}
    return {"authenticated": True, "user": _user_info(found)}


REVIEWS: Mapping[tuple[str, str, str], tuple[str, Review]] = MappingProxyType(
    {
        ("authentication.k8s.io", "v1", "selfsubjectreviews"): ("SelfSubjectReview", _self),
        ("authentication.k8s.io", "v1", "tokenreviews"): ("TokenReview", _token),
        ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"): (
            "SelfSubjectAccessReview",
            _access,
        ),
    }
)
"""Kind and answer by group, version and plural."""


def answered(
    key: tuple[str, str, str], body: Any, user: User, authenticator: Authenticator
) -> Json:
    """The review with its status."""
    kind, review = REVIEWS[key]
    asked = body if isinstance(body, dict) else {}
    version = f"{key[0]}/{key[1]}"
    status = review(asked, user, authenticator)
    return {"metadata": {}, **asked, "kind": kind, "apiVersion": version, "status": status}
