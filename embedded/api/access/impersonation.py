"""Acting as somebody else: the `Impersonate-…` headers, and who may send which."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from multidict import CIMultiDictProxy

from embedded.api.access.attributes import Attributes
from embedded.api.access.authorizer import Authorizer
from embedded.api.auth import ACCOUNT_PREFIX, User
from embedded.api.errors import ApiError

_USER, _GROUP, _UID = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid"
_EXTRA = "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"
_EVERYBODY = ("system:authenticated", "system:unauthenticated")


def acting(authorizer: Authorizer, user: User, headers: CIMultiDictProxy[str]) -> User:
    """The user that a request acts as; raises ApiError 403, 500."""
    if not any(name.lower().startswith("impersonate-") for name in headers):
        return user
    name, groups = headers.get(_USER, ""), headers.getall(_GROUP, [])
    extra = _extra(headers)
    if not name:
        asked = [*groups, *headers.getall(_UID, []), *extra]
        text = f"Internal error occurred: requested {asked} without impersonating a user"
        raise ApiError(500, "InternalError", text)
    for wanted in _wanted(name, groups, headers.get(_UID, ""), extra):
        authorizer.demand(user, wanted)
    implied = () if groups else _account_groups(name)
    everybody = _EVERYBODY[name == "system:anonymous"]
    found = dict.fromkeys((*groups, *implied))
    if not any(group in found for group in _EVERYBODY):
        found[everybody] = None
    kept = tuple((key, tuple(values)) for key, values in extra.items())
    return User(name, tuple(found), headers.get(_UID, ""), kept)


def _extra(headers: CIMultiDictProxy[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        if name.lower().startswith(_EXTRA):
            found.setdefault(unquote(name.lower().removeprefix(_EXTRA)), []).append(value)
    return found


def _wanted(
    name: str, groups: list[str], uid: str, extra: dict[str, list[str]]
) -> Iterator[Attributes]:
    namespace, _, account = name.removeprefix(ACCOUNT_PREFIX).partition(":")
    if name.startswith(ACCOUNT_PREFIX) and account:
        yield Attributes("impersonate", "", "serviceaccounts", namespace, account)
    else:
        yield Attributes("impersonate", "", "users", "", name)
    for group in groups:
        yield Attributes("impersonate", "", "groups", "", group)
    for key, values in extra.items():
        for value in values:
            yield Attributes("impersonate", _AUTHENTICATION, f"userextras/{key}", "", value)
    if uid:
        yield Attributes("impersonate", _AUTHENTICATION, "uids", "", uid)


def _account_groups(name: str) -> tuple[str, ...]:
    namespace, _, account = name.removeprefix(ACCOUNT_PREFIX).partition(":")
    if not (name.startswith(ACCOUNT_PREFIX) and account):
        return ()
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
