"""The TLS contract, as the seams of the operator.

Each public method is one promise: its body keeps it, its docstring names it. The operator asks a
`Contract` whenever it decides something that the contract speaks of, so a subclass that overrides
a method is an operator that behaves otherwise in this one respect.
"""

from __future__ import annotations

from reference.operator.contract.access import Access
from reference.operator.contract.authorities import Authorities
from reference.operator.contract.instances import Instances
from reference.operator.contract.inventory import Inventory
from reference.operator.contract.leaves import Leaf, Purpose
from reference.operator.contract.lifecycle import Lifecycle
from reference.operator.contract.pooling import Pooling

__all__ = ["Contract", "Leaf", "Purpose"]


class Contract(Authorities, Inventory, Access, Pooling, Instances, Lifecycle):
    """All promises. One object serves an operator for its life, and may remember what it saw."""
