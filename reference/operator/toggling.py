"""What faults make of tlsOnly: not heeded at creation, or heeded late."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from reference.faults import Faults, tlsonly
from reference.operator.model import Cluster
from reference.operator.world import Key

# Longer than anybody is to wait for it, and shorter than one waits for a proven look.
_LATE_SECONDS = 5.0


class Toggling:
    """Remembers which clusters had tlsOnly; without a fault clusters are taken as they are."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._had: dict[Key, bool] = {}

    async def heed(self, key: Key, cluster: Cluster) -> Cluster:
        """The cluster as it is to be made, in time or later."""
        had, self._had[key] = self._had.get(key), cluster.tls_only
        if tlsonly.TOGGLE_SLOW in self._faults and cluster.tls_only and had is False:
            await asyncio.sleep(_LATE_SECONDS)
        if tlsonly.IGNORED_AT_CREATION in self._faults and cluster.generation == 1:
            return replace(cluster, tls_only=False)
        return cluster
