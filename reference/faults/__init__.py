"""The faults: each makes one small behaviour of operator, node or data plane a breach.

A suite that has never been seen to fail proves nothing; a run under a fault shows that the
checks of its requirements catch it. A known deviation of a real version is a fault too.

`chapters` has them, each a record with the class that commits it: a subclass of the operator's
`Contract` or of the node's `NodeBehaviour` that overrides what it breaks, on top of `super()`, so
that several faults at once are a class of all of them. The modules beside `chapters` are what
faults share, and the programs `operator` and `node`, which run with faults.

`chapters.variants` has the opposite: operators that keep the contract in ways of their own, which
no check may take for a breach.
"""

from reference.faults.fault import Fault, Hit
from reference.faults.variant import Behaviour, Variant

__all__ = ["Behaviour", "Fault", "Hit", "Variant"]
