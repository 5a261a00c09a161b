"""The seams of the node: what a kubelet promises about the files of a Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded.client import Json
    from embedded.node.volumes.content import Sources


class NodeBehaviour:
    """A kubelet's behaviour; a subclass that overrides a method is a node that behaves otherwise.

    One object serves a node for its life.
    """

    def sources(self, pod: Json, sources: Sources) -> Sources:
        """Return the sources of a Pod's volumes: the API's objects, as they are."""
        return sources

    def refreshes_secrets(self, pod: Json) -> bool:
        """Return whether a changed Secret reaches the files of a running Pod: always."""
        return True
