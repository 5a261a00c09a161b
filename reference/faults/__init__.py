"""The faults: each switches one small behaviour of operator, node or data plane to a breach.

A suite that has never been seen to fail proves nothing; a run under a fault shows that the
checks of its requirements catch it. A known deviation of a real version is a fault too.
"""

from reference.faults.fault import Fault, Faults, Hit

__all__ = ["Fault", "Faults", "Hit"]
