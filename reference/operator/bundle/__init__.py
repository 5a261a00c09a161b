"""The bundle that installs the operator: the CRD, its account and rights, and its Deployment."""

from reference.operator.bundle.render import COMMAND, objects, render

__all__ = ["COMMAND", "objects", "render"]
