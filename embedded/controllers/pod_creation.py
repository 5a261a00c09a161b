"""Creating the Pods of an owner, with a word to the user where the server refuses."""

from __future__ import annotations

from embedded.client import PODS, AlreadyExists, ApiError, Json, Terminating
from embedded.controllers.cluster import Cluster
from embedded.controllers.events import Note, tell

_COMPONENT = "controller-manager"


async def create_pod(cluster: Cluster, owner: Json, pod: Json) -> None:
    """Create a Pod; a refusal becomes a Warning event of its owner as well. Raises ApiError."""
    try:
        await cluster.create(PODS, pod)
    except (AlreadyExists, Terminating):
        raise
    except ApiError as error:
        words = _words(owner, pod, error)
        note = Note(reason="FailedCreate", message=words, component=_COMPONENT)
        await tell(cluster, owner, note)
        raise


def _words(owner: Json, pod: Json, error: ApiError) -> str:
    if owner["kind"] != "StatefulSet":
        return f"Error creating: {error.message}"
    names = f"{pod['metadata']['name']} in StatefulSet {owner['metadata']['name']}"
    return f"create Pod {names} failed error: {error.message}"
