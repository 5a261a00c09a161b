"""The operator's bundle, with the operator that commits faults."""

from __future__ import annotations

from collections.abc import Sequence

from reference.faults.variant import Behaviour
from reference.operator.bundle import COMMAND
from reference.operator.bundle import render as render_running

_PROGRAM = "reference.faults.operator"


def render(faults: Sequence[Behaviour]) -> str:
    """Return the bundle as one YAML file; without faults of the operator it is its own bundle."""
    return render_running(command(faults))


def command(faults: Sequence[Behaviour]) -> tuple[str, ...]:
    """Return the command of the operator's container; the node's faults are none of it."""
    names = ",".join(fault.name for fault in faults if fault.where != "node")
    return (*COMMAND[:-1], _PROGRAM, "--faults", names) if names else COMMAND
