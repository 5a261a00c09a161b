"""Which certificates a cluster runs with: the user's, checked, or generated ones."""

from reference.operator.tls.given import RefusedError
from reference.operator.tls.material import Source, Tls, decide

__all__ = ["RefusedError", "Source", "Tls", "decide"]
