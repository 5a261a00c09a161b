"""Endpoints: the addresses of the Pods behind each Service that has a selector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embedded.client import ENDPOINTS, PODS, SERVICES, AlreadyExists, Json, Reconciler
from embedded.controllers import pods
from embedded.controllers.cluster import Cluster
from embedded.controllers.ownership import Key
from embedded.controllers.triggers import Triggers

_HEADLESS = "service.kubernetes.io/headless"
_MANAGED = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
_TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"


class EndpointsOfServices:
    """Writes the Endpoints; those of a Service without selector are left to whoever does."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._services = cluster.of(SERVICES)
        self._pods = cluster.of(PODS)
        self._endpoints = cluster.of(ENDPOINTS)
        self._shown: dict[str, _Shown] = {}
        self._triggers = Triggers()
        self._queue: Reconciler[Key] = Reconciler("endpoints", self._reconcile)
        self.run = self._queue.run
        self._services.add_handler(self._on_service)
        self._endpoints.add_handler(self._on_endpoints)
        self._pods.add_handler(self._on_pod)

    async def _reconcile(self, key: Key) -> None:
        service, found = self._services.get(*key), self._endpoints.get(*key)
        if service is None or pods.is_terminating(service):
            if service is None:
                self._triggers.forget(key)
            if service is None and found:
                await self._cluster.delete(ENDPOINTS, found)
            return
        if not service["spec"].get("selector"):
            return
        serving = [pod for pod in self._pods.in_namespace(key[0]) if _serves(service, pod)]
        wanted = _endpoints(service, serving)
        triggered = self._triggers.look(key, service, serving)
        if found is None:
            if triggered:
                wanted["metadata"]["annotations"] = {_TRIGGERED: triggered}
            await self._create(wanted)
        elif _differs(found, wanted):
            notes: Json = {_TRIGGERED: triggered}
            labels = _labels_change(found, wanted)
            change = {"metadata": {"labels": labels, "annotations": notes}}
            await self._cluster.merge(ENDPOINTS, found, change | {"subsets": wanted.get("subsets")})
        else:
            self._triggers.settle(key)

    async def _create(self, wanted: Json) -> None:
        try:
            await self._cluster.create(ENDPOINTS, wanted)
        except AlreadyExists:
            # Not in our copy yet: its event brings us back.
            return

    def _on_service(self, _: str, service: Json) -> None:
        self._queue.enqueue((service["metadata"]["namespace"], service["metadata"]["name"]))

    def _on_endpoints(self, _: str, endpoints: Json) -> None:
        namespace, name = endpoints["metadata"]["namespace"], endpoints["metadata"]["name"]
        service = self._services.get(namespace, name)
        if service:
            self._queue.enqueue((namespace, name))

    def _on_pod(self, kind: str, pod: Json) -> None:
        """Look at the Services that select it, or did, if it changed in what Endpoints show."""
        uid = pod["metadata"]["uid"]
        before, now = self._shown.pop(uid, None), _shown(pod)
        if kind != "DELETED":
            self._shown[uid] = now
            if now == before:
                return
        for service in self._services.in_namespace(pod["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selector and any(_selects(selector, each.labels) for each in (before, now) if each):
                self._on_service("MODIFIED", service)


@dataclass(frozen=True)
class _Shown:
    """The parts of a Pod that Endpoints follow from."""

    labels: Mapping[str, str]
    address: str
    ready: bool
    finished: bool
    terminating: bool


def _shown(pod: Json) -> _Shown:
    return _Shown(
        labels=pod["metadata"].get("labels") or {},
        address=(pod.get("status") or {}).get("podIP", ""),
        ready=pods.is_ready(pod),
        finished=pods.is_finished(pod),
        terminating=pods.is_terminating(pod),
    )


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in selector.items())


def _endpoints(service: Json, serving: list[Json]) -> Json:
    metadata = service["metadata"]
    labels = {**(metadata.get("labels") or {}), **_MANAGED}
    if service["spec"].get("clusterIP") == "None":
        labels[_HEADLESS] = ""
    wanted: Json = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": labels,
        },
    }
    subsets = _subsets(service, serving)
    if subsets:
        wanted["subsets"] = subsets
    return wanted


def _serves(service: Json, pod: Json) -> bool:
    if not _selects(service["spec"]["selector"], pod["metadata"].get("labels") or {}):
        return False
    if pods.is_finished(pod) or not (pod.get("status") or {}).get("podIP"):
        return False
    return not pods.is_terminating(pod) or bool(service["spec"].get("publishNotReadyAddresses"))


def _subsets(service: Json, serving: list[Json]) -> list[Json]:
    """Group the addresses by the ports that their Pods offer; named ports differ by Pod."""
    groups: dict[tuple[tuple[str, int, str], ...], Json] = {}
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    for pod in sorted(serving, key=lambda pod: str(pod["status"]["podIP"])):
        ports = _ports(service, pod)
        if service["spec"].get("ports") and not ports:
            continue
        subset = groups.setdefault(ports, {})
        ready = "addresses" if always or pods.is_ready(pod) else "notReadyAddresses"
        subset.setdefault(ready, []).append(_address(service, pod))
    return [subset | _port_list(ports) for ports, subset in sorted(groups.items())]


def _port_list(ports: tuple[tuple[str, int, str], ...]) -> Json:
    listed = [
        ({"name": name} if name else {}) | {"port": number, "protocol": protocol}
        for name, number, protocol in ports
    ]
    return {"ports": listed} if listed else {}


def _ports(service: Json, pod: Json) -> tuple[tuple[str, int, str], ...]:
    found = []
    for port in service["spec"].get("ports") or []:
        protocol = port.get("protocol") or "TCP"
        number = _target(port, protocol, pod)
        if number is not None:
            found.append((port.get("name") or "", number, protocol))
    return tuple(found)


def _target(port: Json, protocol: str, pod: Json) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    for container in pod["spec"].get("containers") or []:
        for offered in container.get("ports") or []:
            if offered.get("name") == target and (offered.get("protocol") or "TCP") == protocol:
                return int(offered["containerPort"])
    return int(target) if target.isdecimal() else None


def _address(service: Json, pod: Json) -> Json:
    metadata, spec = pod["metadata"], pod["spec"]
    address: Json = {"ip": pod["status"]["podIP"]}
    # Only within its own governing Service does a Pod have a name.
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        address["hostname"] = spec["hostname"]
    if spec.get("nodeName"):
        address["nodeName"] = spec["nodeName"]
    address["targetRef"] = {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    return address


def _differs(found: Json, wanted: Json) -> bool:
    if (found.get("subsets") or []) != (wanted.get("subsets") or []):
        return True
    return bool(_labels_change(found, wanted))


def _labels_change(found: Json, wanted: Json) -> Json:
    have = found["metadata"].get("labels") or {}
    want = wanted["metadata"].get("labels") or {}
    gone: Json = {name: None for name in have if name not in want}
    return gone | {name: value for name, value in want.items() if have.get(name) != value}
