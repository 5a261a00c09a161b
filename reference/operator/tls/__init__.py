"""The certificates that a cluster runs with: the user's, checked, or generated ones."""

from reference.operator.tls.custom import CA, CERTIFICATE, KEY, RefusedError
from reference.operator.tls.material import Source, Tls

__all__ = ["CA", "CERTIFICATE", "KEY", "RefusedError", "Source", "Tls"]
