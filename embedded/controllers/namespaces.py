"""The end of a namespace: all that is in it goes first, then the namespace itself."""

from __future__ import annotations

from embedded.client import EVENTS, NAMESPACES, Informer, Json, NotFound, Reconciler, Resource
from embedded.controllers.cluster import Cluster, together
from embedded.controllers.kinds import Kinds
from embedded.controllers.ownership import enqueue_itself
from embedded.controllers.pods import is_terminating

_FINALIZER = "kubernetes"


class Namespaces:
    """Deletes the content of namespaces that are being deleted, and then lets them go.

    Objects with finalizers are waited for, as long as it takes.
    """

    def __init__(self, cluster: Cluster, kinds: Kinds) -> None:
        self._cluster = cluster
        self._kinds = kinds
        self._namespaces = cluster.of(NAMESPACES)
        self._queue: Reconciler[tuple[str, str]] = Reconciler("namespace", self._reconcile)
        self.run = self._queue.run
        self._namespaces.add_handler(enqueue_itself(self._queue))
        kinds.add_listener(self._follow)

    async def _reconcile(self, key: tuple[str, str]) -> None:
        namespace = self._namespaces.get(*key)
        if namespace is None or not is_terminating(namespace):
            return
        finalizers = namespace["spec"].get("finalizers") or []
        if _FINALIZER in finalizers and await self._emptied(namespace):
            await self._let_go(namespace)

    async def _emptied(self, namespace: Json) -> bool:
        """Delete what is left; True once the server itself confirms that nothing is."""
        name = namespace["metadata"]["name"]
        resources = [resource for resource in self._kinds.all() if resource.namespaced]
        left = [(r, obj) for r in resources for obj in self._cluster.of(r).in_namespace(name)]
        fresh = {resource for resource, obj in left if not is_terminating(obj)}
        await together(*(self._empty(resource, name) for resource in fresh))
        if left:
            # Its last object's event brings us back.
            return False
        # A copy may lag behind; it is believed only if it has come past the namespace's end.
        until = int(namespace["metadata"]["resourceVersion"])
        doubtful = [r for r in resources if self._cluster.of(r).version < until]
        remaining = []
        for resource in doubtful:
            remaining += await self._learn_rest(resource, name)
        return not remaining

    async def _empty(self, resource: Resource, namespace: str) -> None:
        # A kind may have gone between the look and the deed.
        try:
            await self._cluster.client.delete_collection(
                resource, namespace, propagation="Background"
            )
        except NotFound:
            return

    async def _learn_rest(self, resource: Resource, namespace: str) -> list[Json]:
        try:
            listed = await self._cluster.client.list(resource, namespace)
        except NotFound:
            return []
        # Learning calls our own handler, which enqueues the namespace anew.
        return [self._cluster.of(resource).learn(obj) for obj in listed.items]

    async def _let_go(self, namespace: Json) -> None:
        name = namespace["metadata"]["name"]
        await self._empty(EVENTS, name)
        left = [word for word in namespace["spec"]["finalizers"] if word != _FINALIZER]
        final = namespace | {"spec": namespace["spec"] | {"finalizers": left}}
        try:
            await self._cluster.client.replace(NAMESPACES, final, subresource="finalize")
        except NotFound:
            return

    def _follow(self, resource: Resource, informer: Informer) -> None:
        if resource.namespaced:
            informer.add_handler(self._on_content)

    def _on_content(self, _: str, obj: Json) -> None:
        namespace = self._namespaces.get("", obj["metadata"]["namespace"])
        if namespace and is_terminating(namespace):
            self._queue.enqueue(("", namespace["metadata"]["name"]))
