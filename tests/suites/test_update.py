"""Verdicts of the checks of UPDATE on observations of their scenario."""

from __future__ import annotations

import pytest
from cryptography import x509

from fixtures.certificates import Authority, internal_spec
from fixtures.pgcluster.cluster import Member
from fixtures.pgcluster.restartmarkers import RestartMarkers
from fixtures.probes import TlsAccepted, TlsSession
from fixtures.scenarios.custom import Replaced
from suites import test_update as checks
from suites.breach import Breach
from tests.suites.observed import RecordedEvidence, judged, staged

PRIMARY = Member("given-a-0", "10.0.0.1", "primary", "uid-1", "given-a")
_ROOT = Authority.create("root")
OLD, ALONE, BOTH = (_ROOT.issue(internal_spec()).certificate for _ in range(3))


def _serving(leaf: x509.Certificate) -> dict[Member, TlsAccepted]:
    session = TlsSession(leaf=leaf, chain=(leaf,), version="TLSv1.3", cipher="c", verify=None)
    return {PRIMARY: TlsAccepted(tls=session)}


def _served(
    alone: x509.Certificate = ALONE, both: x509.Certificate = BOTH, end: x509.Certificate = BOTH
) -> None:
    observed = staged(
        updated={
            "alone": Replaced(leaf=ALONE, served=_serving(alone)),
            "both": (Replaced(leaf=BOTH, served=_serving(both)),),
            "forced": 9,
        },
        lasting={"served": _serving(end)},
    )
    judged(checks.test_new_content_is_served, observed, RecordedEvidence())


def test_the_old_leaf_breaks_1a_whenever_it_is_served() -> None:
    _served()
    with pytest.raises(Breach, match="replaced alone"):
        _served(alone=OLD)
    with pytest.raises(Breach, match="with the internal one"):
        _served(both=ALONE)
    with pytest.raises(Breach, match="at the end"):
        _served(end=OLD)


def _lives(started: str) -> RestartMarkers:
    return RestartMarkers(pods=(), postmasters=((PRIMARY.pod, started),))


def _restarted(*, after: str = "1", end: str = "1") -> None:
    observed = staged(
        updated={"markers_before": _lives("1"), "markers_after": _lives(after)},
        lasting={"markers": _lives(end)},
    )
    judged(checks.test_new_content_restarts_nothing, observed)


def test_a_restart_in_the_window_breaks_1d() -> None:
    _restarted()
    for after in ("1", "2"):
        with pytest.raises(Breach, match="postmaster"):
            _restarted(after=after, end="2")
