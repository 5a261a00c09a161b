"""Tokens of service accounts, asked for by TokenRequest as a kubelet does, and kept while fresh."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from embedded.client import SERVICEACCOUNTS, ApiError, Client, Json

_DEFAULT_SECONDS = 3600


class TokenError(Exception):
    """The API server did not give a token; the message says why."""


@dataclass(frozen=True, kw_only=True)
class _Token:
    value: str
    renew_at: float


class TokenSource:
    """Gives tokens bound to one Pod; each is asked for again when four fifths of its time is up."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, str], _Token] = {}

    async def token(self, pod: Json, source: Json) -> str:
        """Return a token for a serviceAccountToken source of `pod`. Raises TokenError."""
        audience = source.get("audience", "")
        key = (pod["metadata"]["uid"], audience)
        known = self._known.get(key)
        if known is None or known.renew_at < time.time():
            seconds = int(source.get("expirationSeconds") or _DEFAULT_SECONDS)
            known = self._known[key] = await self._request(pod, audience, seconds)
        return known.value

    def forget(self, uid: str) -> None:
        """Drop the tokens of a Pod that is gone."""
        for key in [key for key in self._known if key[0] == uid]:
            del self._known[key]

    async def _request(self, pod: Json, audience: str, seconds: int) -> _Token:
        metadata = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        bound = {
            "kind": "Pod",
            "apiVersion": "v1",
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        spec: Json = {"expirationSeconds": seconds, "boundObjectRef": bound}
        if audience:
            spec["audiences"] = [audience]
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"name": account, "namespace": metadata["namespace"]},
            "spec": spec,
        }
        try:
            answer = await self._client.create(SERVICEACCOUNTS, request, subresource="token")
        except ApiError as error:
            raise TokenError(
                f'failed to fetch token for service account "{account}": {error.message}'
            ) from error
        return _read(answer["status"])


def _read(status: Json) -> _Token:
    now = time.time()
    end = datetime.fromisoformat(status["expirationTimestamp"]).timestamp()
    return _Token(value=status["token"], renew_at=now + 0.8 * (end - now))
