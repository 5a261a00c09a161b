"""UPDATE: new leaves under the same root."""

from __future__ import annotations

from cryptography import x509

from fixtures.certificates import fingerprint
from fixtures.observing.endpoints import Handshakes, serves
from fixtures.pgcluster.restartmarkers import RestartMarkers
from fixtures.scenarios.custom import EXTERNAL, Custom, Replaced
from suites.breach import EachElement, expect
from suites.lives import judge_lives
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import served_leaf


@requirement("UPDATE-1a")
def test_new_content_is_served(custom: Custom, each: EachElement, evidence: CheckEvidence) -> None:
    """New content in the external Secret is served by every instance, and goes on being served.

    Fresh handshakes by Pod address, within the deadline `served-after-update`; the Secret's
    content alone proves nothing. An instance that goes on with the old leaf breaks it. First the
    external Secret alone is replaced, then both, one after the other, some times while reconciles
    are forced many times a second. At the end of the deadline `restart-window`, after a further
    proven reconcile, the last leaf must still be served.
    """
    updated = custom.updated
    _judge_served(each, "replaced alone", updated.alone.served, updated.alone.leaf)
    for number, replaced in enumerate(updated.both, 1):
        when = f"replaced with the internal one, time {number}"
        _judge_served(each, when, replaced.served, replaced.leaf)
    lost = [n for n, found in enumerate(updated.both, 1) if not _is_served(found)]
    race = {"forced reconciles": updated.forced, "times": len(updated.both), "not served in": lost}
    evidence.data("race", race)
    with each("at the end"):
        _judge_served(each, "at the end", custom.lasting.served, updated.both[-1].leaf)


@requirement("UPDATE-1d")
def test_new_content_restarts_nothing(custom: Custom, each: EachElement) -> None:
    """Serving it restarts no Pod, no container and no postmaster.

    Pod uids, restart counts, container starts and pg_postmaster_start_time() of instances,
    PgBouncer and repository host, before the update and after the new leaves are served and the
    operator has provably looked at the cluster again; and once more at the end of the deadline
    `restart-window`, which begins when the last content is put. Where status, events or Patroni's
    log name another's doing for each restart, nothing is known.
    """
    before = custom.updated.markers_before
    with each("after a reconcile"):
        _judge_lives(custom, before, custom.updated.markers_after)
    with each("at the end"):
        _judge_lives(custom, before, custom.lasting.markers)


def _is_served(replaced: Replaced) -> bool:
    return all(serves(answer, replaced.leaf) for answer in replaced.served.values())


def _judge_served(each: EachElement, when: str, served: Handshakes, new: x509.Certificate) -> None:
    for member, answer in served.items():
        with each(f"{member}, {when}"):
            leaf = served_leaf(member, answer)
            expect(
                leaf == new,
                where=f"{member}, {when}, from pg-client",
                promised=f"the new leaf of Secret {EXTERNAL}, sha256 {fingerprint(new)[:16]}",
                seen=f"sha256 {fingerprint(leaf)[:16]}, valid from {leaf.not_valid_before_utc}",
                look_at="the files under /pgconf/tls; pg_conf_load_time()",
            )


def _judge_lives(custom: Custom, before: RestartMarkers, after: RestartMarkers) -> None:
    judge_lives(f"cluster {custom.namespace}/given", before, after)
