"""The root of the time before 2.5, which an operator of today must not take for anybody's."""

from __future__ import annotations

from reference.faults import Fault
from reference.operator.generated.context import Context
from reference.operator.tls.material import LEGACY_ROOT
from reference.operator.tls.secret_data import read


def with_old_root(context: Context, fault: Fault) -> bytes:
    """The cluster's root; after it, only by a fault, the old one of its namespace."""
    alone = context.tls.authority.pem
    if fault not in context.faults:
        return alone
    return alone + read(context.lookup(LEGACY_ROOT), "root.crt")
