"""Bring up the control plane in a box that exists: API server, controllers, node."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.box import node_readiness
from embedded.box.components import Component
from embedded.box.namespaces import SPAWNER, STATE
from embedded.box.run_directory import RunDirectory
from embedded.box.specification import Program
from embedded.images.model import Image, ImageRule
from embedded.node.config import NodeConfig
from embedded.pki import Authority, Pair, kubeconfig, new_token
from embedded.runtime.client import SpawnerClient
from embedded.runtime.links import ADDRESS
from embedded.runtime.pipes import OutputPipe

NODE = "embedded"
DOMAIN = "cluster.local"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
API_PORT = 6443
KUBELET_PORT = 10250
READY_SECONDS = 120.0
_KUBELET = STATE / "node" / "kubelet"
"""The node's socket file for the API server."""
_LISTEN, _READY = 4, 5


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A control plane that serves. `kubeconfig` is the administrator's, outside the box."""

    components: tuple[Component, ...]
    kubeconfig: Path


@dataclass(frozen=True, kw_only=True)
class _Tokens:
    admin: str
    controllers: str
    node: str
    kubelet: str


class ControlPlaneBuilder:
    """The components of one control plane, while it comes up."""

    def __init__(
        self,
        spawner: SpawnerClient,
        run_directory: RunDirectory,
        listener: socket.socket,
        images: tuple[ImageRule, ...],
        tools: Image,
        node: Program,
        lease_seconds: float,
    ) -> None:
        self._spawner = spawner
        self._run_directory = run_directory
        self._listener = listener
        self._images = images
        self._tools = tools
        self._node = node
        self._lease_seconds = lease_seconds
        self._ready = OutputPipe()
        self._tokens = _Tokens(**{name: new_token() for name in _Tokens.__annotations__})
        self.components: list[Component] = []

    async def load(self) -> None:
        """Start loading all three: that takes longer than all that follows. Raises BoxError."""
        more = {_LISTEN: self._listener.fileno(), _READY: self._ready.writer}
        api = (
            *("--listen-fd", str(_LISTEN), "--listen", f"{ADDRESS.ip}:{API_PORT}"),
            *("--state-dir", str(STATE / "api"), "--ready-fd", str(_READY)),
        )
        await self._load("api", Program(module="embedded.api", arguments=api), more)
        self._ready.close_writer()
        self._listener.close()
        controllers = (
            *("--kubeconfig", str(STATE / "controllers.json")),
            *("--node-monitor-grace-period", str(self._lease_seconds)),
        )
        await self._load(
            "controllers", Program(module="embedded.controllers", arguments=controllers)
        )
        node = ("--config", str(STATE / "node.json"), *self._node.arguments)
        await self._load("node", replace(self._node, arguments=node))

    async def _load(self, name: str, program: Program, more: dict[int, int] | None = None) -> None:
        component = await Component.load(self._spawner, self._run_directory, name, program, more)
        self.components.append(component)

    async def run(self, url: str) -> ControlPlane:
        """Configure the components and let them run; `url` is the API's outside.

        Returns when the API serves and the node is Ready. Raises BoxError, ComponentError.
        """
        authority = Authority("embedded platform")
        api, controllers, node = self.components
        await self._configure_api(authority)
        api.open_gate()
        await self._configure_clients(authority)
        await self._api_serves()
        controllers.open_gate()
        node.open_gate()
        administrators = kubeconfig(
            server=url, authority=authority.certificate, token=self._tokens.admin, name=NODE
        )
        path = self._run_directory.write("kubeconfig", administrators)
        last = await asyncio.to_thread(
            node_readiness.wait_ready,
            url,
            authority.certificate,
            self._tokens.admin,
            NODE,
            READY_SECONDS,
        )
        if last:
            raise node.late(f"is not Ready after {READY_SECONDS:.0f} s, {last}")
        return ControlPlane(components=tuple(self.components), kubeconfig=path)

    async def _api_serves(self) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                served = await self._ready.collect()
        except TimeoutError as error:
            text = f"does not serve after {READY_SECONDS:.0f} s"
            raise self.components[0].late(text) from error
        if not served:
            raise await self.components[0].failure()

    async def _configure_api(self, authority: Authority) -> None:
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        names += [f"kubernetes.default.svc.{DOMAIN}", "localhost", "127.0.0.1"]
        await self._pair("api", authority.issue([*names, str(ADDRESS.ip), API_SERVICE]))
        await self._write("api/ca.crt", authority.certificate)
        tokens = self._tokens
        users = [
            (tokens.admin, "kubernetes-admin", ["system:masters"]),
            (tokens.controllers, "system:kube-controller-manager", ["system:masters"]),
            (tokens.node, f"system:node:{NODE}", ["system:nodes"]),
        ]
        config = {
            "ca": "ca.crt",
            "certificate": "tls.crt",
            "key": "tls.key",
            "tokens": [{"token": t, "user": user, "groups": groups} for t, user, groups in users],
            "kubelet": {
                "url": f"https://{ADDRESS.ip}:{KUBELET_PORT}",
                "ca": "ca.crt",
                "token": tokens.kubelet,
                "socket": str(_KUBELET),
            },
            "service_network": SERVICE_NETWORK,
        }
        await self._write("api/api.json", json.dumps(config))

    async def _configure_clients(self, authority: Authority) -> None:
        inside = f"https://{ADDRESS.ip}:{API_PORT}"
        for name, token in (("controllers", self._tokens.controllers), ("node", self._tokens.node)):
            text = kubeconfig(
                server=inside, authority=authority.certificate, token=token, name=name
            )
            await self._write(f"{name}.json" if name == "controllers" else "node/kubeconfig", text)
        await self._pair("node", authority.issue([NODE, str(ADDRESS.ip)]))
        await self._write("node/ca.crt", authority.certificate)
        await self._write("node.json", self._node_config().dump())

    def _node_config(self) -> NodeConfig:
        own = STATE / "node"
        return NodeConfig(
            name=NODE,
            kubeconfig=own / "kubeconfig",
            spawner=SPAWNER,
            state_dir=own,
            log_dir=self._run_directory.pods,
            address=str(ADDRESS.ip),
            pod_network=str(ADDRESS.network),
            service_network=SERVICE_NETWORK,
            cluster_domain=DOMAIN,
            kubelet_port=KUBELET_PORT,
            certificate=own / "tls.crt",
            key=own / "tls.key",
            ca=own / "ca.crt",
            socket=_KUBELET,
            token=self._tokens.kubelet,
            images=self._images,
            tools=self._tools.layers[0],
            lease_seconds=self._lease_seconds,
        )

    async def _pair(self, directory: str, pair: Pair) -> None:
        await self._write(f"{directory}/tls.crt", pair.certificate)
        await self._write(f"{directory}/tls.key", pair.key)

    async def _write(self, name: str, text: str) -> None:
        await self._spawner.ask("write", path=str(STATE / name), mode=0o600, text=text)
