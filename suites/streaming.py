"""An expectation of replication that several chapters share."""

from __future__ import annotations

from fixtures.observing.streaming import Streaming
from suites.breach import expect


def expect_streaming(seen: Streaming) -> None:
    """Raise Breach unless a walsender streams for each replica."""
    expect(
        seen.streaming >= seen.replicas,
        where=f"{seen.primary}, pg_stat_replication",
        promised=f"{seen.replicas} streaming",
        seen=str(seen),
        look_at="the replica's log; primary_conninfo and the primary's rules",
    )
