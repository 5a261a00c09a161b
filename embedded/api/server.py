"""The HTTP face: from a request to the part that answers it, and from a refusal to a Status."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from embedded.api import answers, bodies, discovery, errors, openapi, paths
from embedded.api.access import attributes, impersonation
from embedded.api.access.authorizer import MASTERS, Authorizer
from embedded.api.access.reviews import REVIEWS, Reviews
from embedded.api.addresses import ServiceAddresses
from embedded.api.auth import Authenticator, User
from embedded.api.builtin import catalogue
from embedded.api.calls import Call
from embedded.api.config import ApiConfig
from embedded.api.documents import readable
from embedded.api.errors import ApiError, PlainNotFoundError
from embedded.api.evictions import Evictions
from embedded.api.jsons import Json, encode
from embedded.api.keeper import CustomResourceKeeper
from embedded.api.paths import ResourcePath
from embedded.api.proxy import KubeletProxy
from embedded.api.resources import Registry, World
from embedded.api.store import Store
from embedded.api.subresources import Subresources
from embedded.api.verbs import Verbs

Methods = Mapping[str, Callable[[Call], Awaitable[web.StreamResponse]]]

_LOG = logging.getLogger(__name__)
_HEALTH = {"/healthz", "/livez", "/readyz"}
_OPENAPI_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


class ApiServer:
    """All state of the API server, and the handler of its requests."""

    def __init__(self, config: ApiConfig) -> None:
        self.store = Store()
        self.registry = Registry(catalogue.resources())
        world = World(self.store, ServiceAddresses(config.service_network))
        self.authorizer = Authorizer(self.store)
        self.keeper = CustomResourceKeeper(world, self.registry, self.authorizer.changed)
        self.authenticator = Authenticator(config.tokens, self.store, config.issuer)
        self.reviews = Reviews(self.authenticator, self.authorizer)
        self.verbs = Verbs(self.store, self.keeper)
        self.subresources = Subresources(self.store, self.keeper, self.authenticator)
        self.evictions = Evictions(self.store, self.keeper, self.registry)
        self.proxy = KubeletProxy(config.kubelet, self.store)
        self._status = {
            "GET": self.verbs.read,
            "PUT": self.verbs.replace,
            "PATCH": self.verbs.patch,
        }
        self._named = {**self._status, "DELETE": self.verbs.delete}
        self._collected = {
            "GET": self.verbs.read,
            "POST": self.verbs.create,
            "DELETE": self.verbs.delete_collection,
        }
        self._special = self._special_methods()

    def _special_methods(self) -> Mapping[tuple[str, str, str], Methods]:
        both = ("GET", "POST")
        return {
            ("", "namespaces", "finalize"): {"PUT": self.verbs.finalize},
            ("", "pods", "attach"): dict.fromkeys(both, self.proxy.attach),
            ("", "pods", "binding"): {"POST": self.subresources.bind},
            ("", "pods", "ephemeralcontainers"): self._status,
            ("", "pods", "eviction"): {"POST": self.evictions.evict},
            ("", "pods", "exec"): dict.fromkeys(both, self.proxy.execute),
            ("", "pods", "log"): {"GET": self.proxy.logs},
            ("", "pods", "portforward"): dict.fromkeys(both, self.proxy.forward),
            ("", "serviceaccounts", "token"): {"POST": self.subresources.issue_token},
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; never raises but for cancellation."""
        try:
            answer = await self._answer(request)
        except PlainNotFoundError:
            return web.Response(status=404, text="404 page not found\n")
        except ApiError as error:
            answer = _refusal(error)
        except RecursionError:
            answer = _refusal(errors.bad_request("the object is nested too deeply"))
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:
            _LOG.exception("%s %s", request.method, request.path)
            text = f"Internal error occurred: {type(error).__name__}: {error}"
            answer = _refusal(ApiError(500, "InternalError", readable(text)))
        return answers.as_accepted(request, answer) if isinstance(answer, web.Response) else answer

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        user = self.authenticator.user(request.headers.get("Authorization", ""))
        user = impersonation.acting(self.authorizer, user, request.headers)
        found = paths.parse(request.rel_url.raw_path)
        if MASTERS not in user.groups:
            self.authorizer.demand(user, _asked(request, found))
        if path in _HEALTH or path.rsplit("/", 1)[0] in _HEALTH:
            return _health(request)
        if found is None:
            return self._outside(path, request.headers.get("Accept", ""))
        if not found.plural:
            return self._resources(found)
        return await self._resource(request, user, found)

    def _openapi_v2(self, accept: str) -> web.Response:
        if "json" in accept:
            return answers.json_answer(openapi.swagger(self.registry))
        # A document in protobuf that says nothing: clients then ask for the third version.
        return web.Response(body=b"", headers={"Content-Type": _OPENAPI_V2})

    def _outside(self, path: str, accept: str) -> web.Response:
        plain: dict[str, Callable[[], Any]] = {
            "/api": discovery.core_versions,
            "/apis": lambda: discovery.groups(self.registry),
            "/version": lambda: discovery.VERSION,
            "/openapi/v3": lambda: openapi.index(self.registry),
        }
        path = path.rstrip("/")
        if path == "/openapi/v2":
            return self._openapi_v2(accept)
        if path.startswith("/openapi/v3/"):
            body = openapi.document(self.registry, path.removeprefix("/openapi/v3/"))
            if body is None:
                raise PlainNotFoundError
            return answers.json_answer(body)
        if path in plain:
            return answers.json_answer(encode(plain[path]()))
        group = path.removeprefix("/apis/")
        return _found(discovery.group(self.registry, group) if group != path else None)

    def _resources(self, path: ResourcePath) -> web.Response:
        return _found(discovery.resources(self.registry, path.group, path.version))

    async def _resource(
        self, request: web.BaseRequest, user: User, path: ResourcePath
    ) -> web.StreamResponse:
        resource = self.registry.find(path.group, path.version, path.plural)
        if resource is None:
            key = (path.group, path.version, path.plural)
            if key in REVIEWS and request.method == "POST":
                body = await bodies.read(request)
                answer = self.reviews.answered(key, body, user, path.namespace)
                return answers.json_answer(encode(answer), 201)
            if not self.registry.serves(path.group, path.version):
                raise PlainNotFoundError
            raise errors.no_resource()
        if path.namespace and not resource.namespaced:
            raise errors.no_resource()
        return await self._verb(Call(request, user, resource, path, self.authorizer))

    async def _verb(self, call: Call) -> web.StreamResponse:
        if call.path.rest:
            raise errors.not_implemented("a path below a subresource")
        if call.path.subresource:
            methods = self._sub_methods(call)
        elif call.path.name:
            methods = self._named
        elif call.resource.one_by_one and call.request.method == "DELETE":
            raise errors.method_not_allowed(call.resource.subject())
        else:
            methods = self._collected
        chosen = methods.get(call.request.method)
        if chosen is None:
            raise errors.method_not_allowed(call.resource.subject(call.path.name))
        return await chosen(call)

    def _sub_methods(self, call: Call) -> Methods:
        resource, name = call.resource, call.path.subresource
        if name == "status" and resource.status:
            return self._status
        if name == "scale" and resource.scale:
            return dict.fromkeys(("GET", "PUT", "PATCH"), self.subresources.scale)
        methods = self._special.get((resource.group, resource.plural, name))
        if methods is None:
            raise errors.no_resource()
        return methods


def _asked(request: web.BaseRequest, found: ResourcePath | None) -> attributes.Attributes:
    if found is None or not found.plural:
        return attributes.of_path(request)
    return attributes.of_request(request, found)


def _found(body: Json | None) -> web.Response:
    if body is None:
        raise PlainNotFoundError
    return answers.json_answer(encode(body))


def _health(request: web.BaseRequest) -> web.Response:
    name = request.path.split("/")[1]
    if "verbose" not in request.query:
        return web.Response(text="ok")
    return web.Response(text=f"[+]ping ok\n[+]memory store ok\n{name} check passed\n")


def _refusal(error: ApiError) -> web.Response:
    answer = answers.json_answer(encode(error.status()), error.code)
    if error.code == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
