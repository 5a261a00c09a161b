"""The operator's own PKI: a root per cluster, and the leaves that it signs."""

from reference.operator.pki import encoding
from reference.operator.pki.authority import Authority, BadAuthorityError
from reference.operator.pki.leaf import A_YEAR, NO_PAIR, Pair, Profile, Subject, issue
from reference.operator.pki.renewal import is_current

__all__ = [
    "A_YEAR",
    "NO_PAIR",
    "Authority",
    "BadAuthorityError",
    "Pair",
    "Profile",
    "Subject",
    "encoding",
    "is_current",
    "issue",
]
