"""Verdicts of the checks of refused clusters on an instance that ran, or went unseen."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fixtures.scenarios.custom_refused.scenario import Applied, ReadyInstance, RunningCluster
from fixtures.scenarios.custom_refused.variants import variants
from suites import test_custom as checks
from suites.breach import Breach, EachElement
from suites.wire import NothingKnown
from tests.suites.observed import judged


@dataclass
class Observed:
    """The scenario as its checks read it."""

    applied: Applied
    namespace: str = "pgtls-0000-refused"


def _judged(*instances: ReadyInstance, gaps: int = 0) -> EachElement:
    variant = variants("pgtls-0000-refused")[0]
    running = RunningCluster(instances=instances, served={}, ready=frozenset(), walsenders=())
    observed = Observed(Applied(running={variant: running}, gaps=gaps))
    return judged(checks.test_missing_parts_are_not_replaced, observed)


def test_a_cluster_in_which_nothing_ran_keeps_the_promise() -> None:
    assert [element.outcome for element in _judged().elements] == ["passed"]


@pytest.mark.parametrize("gone", [True, False])
def test_an_instance_with_the_generated_pair_breaks_it_though_it_is_gone(gone: bool) -> None:
    instance = ReadyInstance(
        pod="no-tls-instance1-abcd-0", mounted=("no-tls-cluster-cert",), gone=gone
    )
    with pytest.raises(Breach, match=r"abcd-0 (ran|runs) with no-tls-cluster-cert mounted"):
        _judged(instance)


def test_an_instance_that_went_unseen_says_nothing() -> None:
    instance = ReadyInstance(pod="no-tls-instance1-abcd-0", mounted=(), gone=True)
    with pytest.raises(NothingKnown, match="abcd-0 ran, and went before its leaf was seen"):
        _judged(instance)


def test_a_broken_watch_says_nothing_unless_a_breach_was_seen() -> None:
    with pytest.raises(NothingKnown, match="gaps"):
        _judged(gaps=1)
    instance = ReadyInstance(
        pod="no-tls-instance1-abcd-0", mounted=("no-tls-cluster-cert",), gone=True
    )
    with pytest.raises(Breach):
        _judged(instance, gaps=1)
