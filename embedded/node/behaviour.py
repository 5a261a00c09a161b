"""The seams of the node: what a kubelet promises about files of a Pod, and programs run in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def cuts_off(self, argv: Sequence[str]) -> bool:
        """Return whether an exec is answered as by a kubelet that restarts meanwhile: never.

        That is an empty output and the status `Success`, whatever the program does.
        """
        return False
