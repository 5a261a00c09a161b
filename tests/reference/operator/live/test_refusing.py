"""Custom Secrets that are wrong: nothing starts, the reason is told, and a correction is enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


def test_nothing_starts_until_the_secret_is_corrected(live: LiveClusters) -> None:
    whole = leaf_secret("tls", external(ROOT), ROOT)
    authority = whole["data"].pop("ca.crt")
    live.give(whole)
    live.give(leaf_secret("repl", internal(ROOT), ROOT))
    live.cluster("c", secrets=REFS)
    live.wait(PGCLUSTERS, "c", lambda obj: refusal(obj) == LACKS, "the reason is told")
    events = live.run(live.client.list(EVENTS, live.namespace)).items
    assert (LACKS, "Warning") in {(each["message"], each["type"]) for each in events}
    assert not live.names(STATEFULSETS)
    assert live.names(SECRETS) == {"tls", "repl"}

    change = {"data": {"ca.crt": authority}}
    live.run(live.client.patch(SECRETS, "tls", live.namespace, change))
    live.ready("c")
    assert not refusal(live.get(PGCLUSTERS, "c"))
    assert not {"c-cluster-cert", "c-replication-cert"} & live.names(SECRETS)


def test_a_live_cluster_keeps_what_it_runs_with(live: LiveClusters) -> None:
    before, lives = live.serials("c"), live.lives("c")
    live.change("c", secrets={"customTLSSecret": {"name": "absent"}})
    live.wait(PGCLUSTERS, "c", lambda obj: "absent" in refusal(obj), "the reason is told")
    assert live.serials("c") == before
    assert live.lives("c") == lives
    live.change("c", secrets=REFS)
    live.ready("c")
    assert live.lives("c") == lives


def test_a_root_that_is_made_for_another_cluster_later_is_enough(live: LiveClusters) -> None:
    root = {"customRootCATLSSecret": {"name": "lender-cluster-ca-cert"}}
    live.cluster("borrower", secrets=root)
    live.wait(
        PGCLUSTERS, "borrower", lambda obj: "lender-cluster-ca-cert" in refusal(obj), "it is told"
    )
    live.cluster("lender")
    live.ready("lender", "borrower")


def test_a_root_is_enough_once_it_is_valid(live: LiveClusters) -> None:
    late = Authority.generate(datetime.now(UTC) + BACKDATE + timedelta(seconds=3))
    live.give(secret("late", {"root.crt": late.pem, "root.key": late.key_pem}))
    live.cluster("early", secrets={"customRootCATLSSecret": {"name": "late"}})
    live.wait(PGCLUSTERS, "early", lambda obj: "begins at" in refusal(obj), "the reason is told")
    live.ready("early")
