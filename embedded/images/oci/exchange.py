"""Requests to a registry, by https://github.com/opencontainers/distribution-spec."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import re
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

import aiohttp
from yarl import URL

from embedded.images.cache import ImageError
from embedded.images.oci.credentials import Credentials

_PARAMETER = re.compile(r'([a-zA-Z]+)="([^"]*)"')
_BUSY = {429, 500, 502, 503, 504}
_REMEDIES = {
    401: "log in with `docker login`, or mend the name: what is private looks like this, too",
    403: "it may not be read by this user; log in with `docker login` as another",
    404: "there is no such name or tag",
    429: "it has had too many requests; try again later, or log in with `docker login`",
}
_LARGEST_TOKEN = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds that a registry has: to take a connection, to send the next bytes, for everything."""

    connect: float = 15.0
    read: float = 30.0
    whole: float = 1800.0
    attempts: int = 4
    first_pause: float = 1.0


class RegistryError(ImageError):
    """A registry does not give what it was asked for."""


class Exchange:
    """Requests to one base address, such as `https://registry.example`, for one repository."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        repository: str,
        credentials: Credentials | None,
        patience: Patience,
    ) -> None:
        self._session = session
        self._base = base
        self._repository = repository
        self._credentials = credentials
        self._patience = patience
        self._until = asyncio.get_running_loop().time() + patience.whole
        self._authorization: str | None = None

    @asynccontextmanager
    async def get(
        self, path: str, accept: Mapping[str, str], method: str = "GET"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer for a path below the repository.

        What fails for the moment is tried again until the patience ends. Raises RegistryError.
        """
        url = URL(f"{self._base}/v2/{self._repository}/{path}")
        attempt = 0
        while True:
            attempt += 1
            try:
                async with asyncio.timeout_at(self._until):
                    response = await self._send(method, url, accept)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                await self._pause(attempt, None, f"{url.host}: {_why(error)}")
                continue
            if response.status in _BUSY:
                response.release()
                pause = _retry_after(response.headers.get("Retry-After"))
                await self._pause(attempt, pause, self._refusal(response))
                continue
            break
        try:
            if response.status != 200:
                raise RegistryError(self._refusal(response))
            async with asyncio.timeout_at(self._until):
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RegistryError(f"{url.host}: {_why(error)}") from error
        finally:
            response.release()

    async def _send(
        self, method: str, url: URL, accept: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        response = await self._once(method, url, accept)
        if response.status != 401:
            return response
        challenge = response.headers.get("WWW-Authenticate", "")
        response.release()
        self._authorization = await self._authorize(challenge)
        return await self._once(method, url, accept)

    async def _once(
        self, method: str, url: URL, accept: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        headers = dict(accept)
        if self._authorization is not None:
            # aiohttp leaves it out where a redirection leads to another host.
            headers["Authorization"] = self._authorization
        return await self._session.request(method, url, headers=headers, proxy=proxy_for(url))

    async def _authorize(self, challenge: str) -> str | None:
        scheme, _, rest = challenge.partition(" ")
        fields = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
        if scheme.lower() == "basic" and self._credentials is not None:
            return _basic(self._credentials)
        if scheme.lower() != "bearer" or "realm" not in fields:
            return None
        return f"Bearer {await self._token(fields)}"

    async def _token(self, fields: Mapping[str, str]) -> str:
        try:
            realm = URL(fields["realm"])
        except ValueError as error:
            text = f"{URL(self._base).host}: names no address that gives tokens"
            raise RegistryError(text) from error
        if realm.scheme != "https" and not is_loopback(realm.host or ""):
            text = f"asks for credentials in plaintext, at {realm.host}; they are not sent"
            raise RegistryError(f"{URL(self._base).host}: {text}")
        query = {"scope": f"repository:{self._repository}:pull"}
        query |= {name: fields[name] for name in ("service",) if name in fields}
        headers = {}
        given = self._credentials
        if given is not None and given.is_token:
            form = query | {"grant_type": "refresh_token", "refresh_token": given.secret}
            form |= {"client_id": "pg-tls-conformance"}
            request = self._session.post(realm, data=form, proxy=proxy_for(realm))
        else:
            if given is not None:
                headers["Authorization"] = _basic(given)
            request = self._session.get(
                realm, params=query, headers=headers, proxy=proxy_for(realm)
            )
        async with request as response:
            if response.status != 200:
                raise RegistryError(self._refusal(response))
            content = await response.content.read(_LARGEST_TOKEN)
            while len(content) < _LARGEST_TOKEN and (more := await response.content.read(65536)):
                content += more
        try:
            answer = json.loads(content)
            return str(answer.get("token") or answer["access_token"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RegistryError(f"{realm.host}: its answer holds no token") from error

    def _refusal(self, response: aiohttp.ClientResponse) -> str:
        remedy = _REMEDIES.get(response.status, "try again later")
        return f"{response.url.host}: answers {response.status}: {remedy}"

    async def _pause(self, attempt: int, wanted: float | None, why: str) -> None:
        pause = self._patience.first_pause * 2 ** (attempt - 1)
        pause = pause if wanted is None else wanted
        now = asyncio.get_running_loop().time()
        if attempt >= self._patience.attempts or now + pause > self._until:
            times = "once" if attempt == 1 else f"{attempt} times"
            raise RegistryError(f"{why} (tried {times})")
        await asyncio.sleep(pause)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def proxy_for(url: URL) -> str | None:
    """Return the proxy that the environment names for an address."""
    if is_loopback(url.host or "") or urllib.request.proxy_bypass(url.host or ""):
        return None
    return urllib.request.getproxies().get(url.scheme)


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.name}:{credentials.secret}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time; look at the network, and at HTTPS_PROXY"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot be reached: {error.os_error.strerror or error.os_error}"
    return f"breaks off: {type(error).__name__}"


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time(), 0.0)
    except ValueError:
        return None
