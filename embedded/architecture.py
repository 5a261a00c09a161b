"""The architecture of this machine, in Kubernetes' words."""

from __future__ import annotations

import platform

_AS_GO_SAYS = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """The machine's architecture as in the label `kubernetes.io/arch`."""
    machine = platform.machine()
    return _AS_GO_SAYS.get(machine, machine)
