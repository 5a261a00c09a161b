"""What installs the operator: the CRD, its account and rights, and its Deployment."""

from reference.operator.bundle.render import objects, render

__all__ = ["objects", "render"]
