"""Authentication: static tokens, tokens of ServiceAccounts that the server issues, and none."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from embedded.api.config import Token
from embedded.api.errors import ApiError
from embedded.api.jsons import Json, at, encode
from embedded.api.store import Store

ACCOUNT_PREFIX = "system:serviceaccount:"
_EXTRA = "authentication.kubernetes.io/"
_HEADER = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True)
class User:
    """An authenticated user."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What else is known of the user, each by its name."""


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def unauthorized() -> ApiError:
    """401: a token that nobody knows."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """Knows all tokens. Those of ServiceAccounts are JWTs, signed with a key of this process."""

    def __init__(self, tokens: Iterable[Token], store: Store, issuer: str) -> None:
        self._static = {
            token.token: User(token.user, (*token.groups, "system:authenticated"))
            for token in tokens
        }
        self._store = store
        self._issuer = issuer
        self._key = secrets.token_bytes(32)

    def user(self, authorization: str) -> User:
        """The user of an `Authorization` header; raises ApiError 401.

        Who presents no bearer token is anonymous, as on a real server.
        """
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        return self.user_of(token.strip())

    def user_of(self, token: str) -> User:
        """The user of a token; raises ApiError 401."""
        found = self._static.get(token)
        if found is None:
            claims = self._claims(token)
            self._demand_bound(claims)
            found = _account(claims)
        return found

    def issue(self, account: Json, audiences: list[str], seconds: int, bound: Json | None) -> Json:
        """A token for a ServiceAccount, as the `status` of a TokenRequest."""
        meta = account["metadata"]
        began = int(time.time())
        private = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        if bound:
            private[bound["kind"].lower()] = {"name": bound["name"], "uid": bound.get("uid", "")}
        claims = {
            "aud": audiences or [self._issuer],
            "exp": began + seconds,
            "iat": began,
            "iss": self._issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": private,
            "nbf": began,
            "sub": f"{ACCOUNT_PREFIX}{meta['namespace']}:{meta['name']}",
        }
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began + seconds))
        return {"token": self._signed(claims), "expirationTimestamp": ends}

    def _signed(self, claims: Json) -> str:
        body = f"{_pack(encode(_HEADER))}.{_pack(encode(claims))}"
        return f"{body}.{_pack(self._mac(body))}"

    def _mac(self, body: str) -> bytes:
        return hmac.digest(self._key, body.encode(), hashlib.sha256)

    def _claims(self, token: str) -> Json:
        body, _, signature = token.rpartition(".")
        try:
            genuine = hmac.compare_digest(_unpack(signature), self._mac(body))
        except (binascii.Error, ValueError) as error:
            raise unauthorized() from error
        if not genuine:
            raise unauthorized()
        claims: Json = json.loads(_unpack(body.split(".")[1]))
        if claims["exp"] < time.time() or self._issuer not in claims["aud"]:
            raise unauthorized()
        return claims

    def _demand_bound(self, claims: Json) -> None:
        """A token dies with its account, and with the Pod that it was made for."""
        private = claims["kubernetes.io"]
        for plural, member in (("serviceaccounts", "serviceaccount"), ("pods", "pod")):
            wanted: Any = private.get(member)
            if wanted is None:
                continue
            key = (private["namespace"], wanted["name"])
            found = self._store.collection("", plural).objects.get(key)
            if found is None or wanted["uid"] not in ("", at(found.obj, "metadata", "uid")):
                raise unauthorized()


def _account(claims: Json) -> User:
    private = claims["kubernetes.io"]
    groups = (
        "system:serviceaccounts",
        f"system:serviceaccounts:{private['namespace']}",
        "system:authenticated",
    )
    extra = [(f"{_EXTRA}credential-id", (f"JTI={claims['jti']}",))]
    if "pod" in private:
        extra += [(f"{_EXTRA}pod-{name}", (private["pod"][name],)) for name in ("name", "uid")]
    return User(claims["sub"], groups, private["serviceaccount"]["uid"], tuple(extra))
