"""The operator's own PKI: a root per cluster, and the leaves that stand on it."""

from reference.operator.pki import encoding
from reference.operator.pki.authority import Authority, BadAuthorityError, RootShape
from reference.operator.pki.leaf import LeafShape, Pair, Subject, issue
from reference.operator.pki.renewal import is_current

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
