"""Variants of the course of time: slower, and with more going on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from embedded.node.behaviour import NodeBehaviour
from reference.faults.variant import Variant
from reference.operator.contract import Contract
from reference.operator.model import Cluster

_SECONDS = 3.0
_CUT = 7


@Variant(
    name="three-seconds-slower",
    differs="Each look that the operator takes at a cluster takes three seconds more.",
    deadlines=(
        ("ready", 90),
        ("recovered", 90),
        ("secrets-present", 30),
        ("reconciled", 45),
        ("served-after-update", 30),
        ("toggled", 30),
        ("gone", 90),
    ),
)
class ThreeSecondsSlower(Contract):
    async def accept(self, cluster: Cluster) -> Cluster:
        accepted = await super().accept(cluster)
        await asyncio.sleep(_SECONDS)
        return accepted


@Variant(
    name="execs-cut-off",
    differs="Each seventh program run by exec is answered as while a kubelet restarts: no output, "
    "Success.",
    where="node",
)
class ExecsCutOff(NodeBehaviour):
    def __init__(self) -> None:
        super().__init__()
        self._execs = itertools.count(1)

    def cuts_off(self, argv: Sequence[str]) -> bool:
        return next(self._execs) % _CUT == 0 or super().cuts_off(argv)
