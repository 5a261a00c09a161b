"""Which certificates a cluster runs with: the user's, checked, or generated ones."""

from embedded.operator.tls.given import RefusedError
from embedded.operator.tls.material import Source, Tls, decide

__all__ = ["RefusedError", "Source", "Tls", "decide"]
