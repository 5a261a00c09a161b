"""Restarts: a breach, unless something else than the operator is named for each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.kube.pods import PodMarkers
from fixtures.pgcluster.restartmarkers import RestartMarkers
from suites.breach import Breach
from suites.lives import judge_lives
from suites.wire import NothingKnown


def _markers(*pods: tuple[str, str], **causes: str) -> RestartMarkers:
    found = tuple(PodMarkers(pod, uid, (("database", 0, "noon"),)) for pod, uid in pods)
    named = {pod.replace("_", "-"): cause for pod, cause in causes.items()}
    return RestartMarkers(pods=found, postmasters=(), causes=named)


BEFORE = _markers(("a-0", "1"), ("b-0", "2"))


def test_nothing_that_restarted_is_well() -> None:
    judge_lives("c", BEFORE, _markers(("a-0", "1"), ("b-0", "2")))


def test_a_restart_without_a_cause_is_a_breach() -> None:
    with pytest.raises(Breach, match="Pod a-0 was 1"):
        judge_lives("c", BEFORE, _markers(("a-0", "9"), ("b-0", "2")))


def test_a_cause_for_each_is_an_error_that_names_it() -> None:
    after = _markers(("a-0", "9"), ("b-0", "8"), a_0="OOMKilled", b_0="Evicted")
    with pytest.raises(NothingKnown, match="a-0: OOMKilled; b-0: Evicted"):
        judge_lives("c", BEFORE, after)


def test_one_restart_without_a_cause_is_a_breach_beside_others_that_have_one() -> None:
    after = _markers(("a-0", "9"), ("b-0", "8"), a_0="OOMKilled")
    with pytest.raises(Breach) as caught:
        judge_lives("c", BEFORE, after)
    assert "b-0" in str(caught.value)
    assert "a-0" not in str(caught.value)


def test_a_pod_in_the_place_of_an_evicted_one_is_explained_by_it() -> None:
    after = _markers(("a-0", "1"), ("b-1", "3"), b_0="Evicted")
    with pytest.raises(NothingKnown, match="b-0: Evicted"):
        judge_lives("c", BEFORE, after)


def test_an_instance_that_told_nothing_leaves_it_unknown_unless_something_restarted() -> None:
    same, other = _markers(("a-0", "1"), ("b-0", "2")), _markers(("a-0", "9"), ("b-0", "2"))
    with pytest.raises(NothingKnown, match="no postmaster answered in b-0"):
        judge_lives("c", BEFORE, replace(same, unread=("b-0",)))
    with pytest.raises(Breach, match="Pod a-0 was 1"):
        judge_lives("c", BEFORE, replace(other, unread=("b-0",)))


def test_what_happens_in_a_cluster_left_alone_excuses() -> None:
    with pytest.raises(NothingKnown, match="left alone"):
        judge_lives("c", BEFORE, _markers(("a-0", "9")), anyway=("Pod z-0 is gone",))
