"""Objects of every namespace from its start: the default ServiceAccount, and the API's CA."""

from __future__ import annotations

from embedded.client import CONFIGMAPS, NAMESPACES, SERVICEACCOUNTS, Json, Reconciler
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.pods import is_terminating

_ACCOUNT = "default"
_AUTHORITY = "kube-root-ca.crt"
_KEY = "ca.crt"


class NamespaceDefaults:
    """Creates both, and creates them again when they are deleted or the CA is changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._namespaces = cluster.of(NAMESPACES)
        self._accounts = cluster.of(SERVICEACCOUNTS)
        self._configs = cluster.of(CONFIGMAPS)
        self._queue: Reconciler[str] = Reconciler("namespace defaults", self._reconcile)
        self.run = self._queue.run
        self._namespaces.add_handler(self._on_namespace)
        self._accounts.add_handler(self._on_account)
        self._configs.add_handler(self._on_config)

    async def _reconcile(self, name: str) -> None:
        namespace = self._namespaces.get("", name)
        if namespace is None or is_terminating(namespace):
            return
        await together(self._keep_account(name), self._keep_authority(name))

    async def _keep_account(self, namespace: str) -> None:
        if self._accounts.get(namespace, _ACCOUNT) is None:
            await self._cluster.ensure(
                SERVICEACCOUNTS, _named("ServiceAccount", namespace, _ACCOUNT)
            )

    async def _keep_authority(self, namespace: str) -> None:
        data = {_KEY: self._cluster.client.config.ca}
        found = self._configs.get(namespace, _AUTHORITY)
        if found is None:
            config = _named("ConfigMap", namespace, _AUTHORITY) | {"data": data}
            await self._cluster.ensure(CONFIGMAPS, config)
        elif found.get("data") != data:
            await self._cluster.client.replace(CONFIGMAPS, found | {"data": data})

    def _on_namespace(self, kind: str, namespace: Json) -> None:
        if kind == "ADDED":
            self._queue.enqueue(namespace["metadata"]["name"])

    def _on_account(self, kind: str, account: Json) -> None:
        if kind == "DELETED" and account["metadata"]["name"] == _ACCOUNT:
            self._queue.enqueue(account["metadata"]["namespace"])

    def _on_config(self, kind: str, config: Json) -> None:
        if kind != "ADDED" and config["metadata"]["name"] == _AUTHORITY:
            self._queue.enqueue(config["metadata"]["namespace"])


def _named(kind: str, namespace: str, name: str) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"namespace": namespace, "name": name}}
