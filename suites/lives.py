"""Judgement of restarts: a breach where the operator is to blame, and an error where another is."""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.pgcluster.restartmarkers import RestartMarkers
from suites.breach import Breach
from suites.wire import NothingKnown


def judge_lives(
    where: str, before: RestartMarkers, after: RestartMarkers, *, anyway: Sequence[str] = ()
) -> None:
    """Return if nothing restarted between the two moments.

    `anyway` are the restarts meanwhile in a cluster that was left alone. With them, or where the
    kubelet, the node or Patroni is named for each restart, it raises NothingKnown, and otherwise
    Breach. Without a restart, an instance that told nothing of its postmaster is NothingKnown, too.
    """
    words = "; ".join(after.unlike(before))
    if not words:
        if after.unread:
            raise NothingKnown(f"{where}: no postmaster answered in {', '.join(after.unread)}")
        return
    if anyway:
        raise NothingKnown(f"{words}; and in a cluster left alone {'; '.join(anyway)}")
    unexplained = after.unexplained(before)
    if not unexplained:
        causes = "; ".join(f"{pod}: {cause}" for pod, cause in sorted(after.causes.items()))
        raise NothingKnown(f"{words}; which is not the operator's doing: {causes}")
    raise Breach(
        where=where,
        promised="the same Pods, containers and postmasters as before",
        seen="; ".join(unexplained),
        look_at="events of the namespace",
    )
