"""Custom Secrets that are wrong: nothing starts, the reason is told, and a correction is enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from embedded.client import EVENTS, SECRETS, STATEFULSETS
from reference.operator.pki import Authority
from reference.operator.pki.authority import BACKDATE
from reference.operator.resources import PGCLUSTERS
from tests.reference.operator.builders import NOW, Json, external, internal, leaf_secret, secret
from tests.reference.operator.live.clusters import LiveClusters

ROOT = Authority.generate(NOW)
REFS = {"customTLSSecret": {"name": "tls"}, "customReplicationTLSSecret": {"name": "repl"}}
LACKS = "spec.secrets.customTLSSecret: key ca.crt is missing in Secret tls"


def refusal(obj: Json | None) -> str:
    conditions = ((obj or {}).get("status") or {}).get("conditions") or []
    return "".join(each["message"] for each in conditions if each["status"] == "False")


@pytest.fixture(scope="module")
def refused(live: LiveClusters) -> LiveClusters:
    """Cluster `c`, whose Secret lacks its authority; the reason is told."""
    whole = leaf_secret("tls", external(ROOT), ROOT)
    del whole["data"]["ca.crt"]
    live.give(whole)
    live.give(leaf_secret("repl", internal(ROOT), ROOT))
    live.cluster("c", secrets=REFS)
    live.wait(PGCLUSTERS, "c", lambda obj: refusal(obj) == LACKS, "the reason is told")
    return live


@pytest.fixture(scope="module")
def corrected(refused: LiveClusters) -> LiveClusters:
    """The same cluster, ready since the authority was given."""
    change = {"data": {"ca.crt": leaf_secret("tls", external(ROOT), ROOT)["data"]["ca.crt"]}}
    refused.run(refused.client.patch(SECRETS, "tls", refused.namespace, change))
    refused.ready("c")
    return refused


def test_nothing_starts_while_the_secret_is_wrong(refused: LiveClusters) -> None:
    events = refused.run(refused.client.list(EVENTS, refused.namespace)).items
    assert (LACKS, "Warning") in {(each["message"], each["type"]) for each in events}
    assert not refused.names(STATEFULSETS)
    assert refused.names(SECRETS) == {"tls", "repl"}


def test_a_correction_is_enough(corrected: LiveClusters) -> None:
    assert not refusal(corrected.get(PGCLUSTERS, "c"))
    assert not {"c-cluster-cert", "c-replication-cert"} & corrected.names(SECRETS)


def test_a_live_cluster_keeps_what_it_runs_with(corrected: LiveClusters) -> None:
    before, lives = corrected.serials("c"), corrected.lives("c")
    corrected.change("c", secrets={"customTLSSecret": {"name": "absent"}})
    corrected.wait(PGCLUSTERS, "c", lambda obj: "absent" in refusal(obj), "the reason is told")
    assert corrected.serials("c") == before
    assert corrected.lives("c") == lives
    corrected.change("c", secrets=REFS)
    corrected.ready("c")
    assert corrected.lives("c") == lives


def test_a_root_that_is_made_for_another_cluster_later_is_enough(live: LiveClusters) -> None:
    root = {"customRootCATLSSecret": {"name": "lender-cluster-ca-cert"}}
    live.cluster("borrower", secrets=root)
    live.wait(
        PGCLUSTERS, "borrower", lambda obj: "lender-cluster-ca-cert" in refusal(obj), "it is told"
    )
    live.cluster("lender")
    live.ready("lender", "borrower")


def test_a_root_is_enough_once_it_is_valid(live: LiveClusters) -> None:
    late = Authority.generate(datetime.now(UTC) + BACKDATE + timedelta(seconds=8))
    live.give(secret("late", {"root.crt": late.pem, "root.key": late.key_pem}))
    live.cluster("early", secrets={"customRootCATLSSecret": {"name": "late"}})
    live.wait(PGCLUSTERS, "early", lambda obj: "begins at" in refusal(obj), "the reason is told")
    live.ready("early")
