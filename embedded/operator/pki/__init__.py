"""The operator's own PKI: a root per cluster, and the leaves that stand on it."""

from embedded.operator.pki import encoding
from embedded.operator.pki.authority import Authority, BadAuthorityError, RootShape
from embedded.operator.pki.leaf import LeafShape, Pair, Subject, issue
from embedded.operator.pki.renewal import is_current

__all__ = [
    "Authority",
    "BadAuthorityError",
    "LeafShape",
    "Pair",
    "RootShape",
    "Subject",
    "encoding",
    "is_current",
    "issue",
]
