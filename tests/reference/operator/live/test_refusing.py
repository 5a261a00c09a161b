"""Custom Secrets that are wrong: nothing starts, the reason is told, and a correction is enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from embedded.client import EVENTS, SECRETS, STATEFULSETS
from reference.operator.pki import Authority
from reference.operator.pki.authority import BACKDATE
from reference.operator.resources import PGCLUSTERS
from tests.reference.operator.live.bench import Bench
from tests.reference.operator.making import NOW, Json, external, internal, leaf_secret, secret

ROOT = Authority.generate(NOW)
REFS = {"customTLSSecret": {"name": "tls"}, "customReplicationTLSSecret": {"name": "repl"}}
LACKS = "spec.secrets.customTLSSecret: key ca.crt is missing in Secret tls"


def refusal(obj: Json | None) -> str:
    conditions = ((obj or {}).get("status") or {}).get("conditions") or []
    return "".join(each["message"] for each in conditions if each["status"] == "False")


def test_nothing_starts_until_the_secret_is_corrected(bench: Bench) -> None:
    whole = leaf_secret("tls", external(ROOT), ROOT)
    authority = whole["data"].pop("ca.crt")
    bench.give(whole)
    bench.give(leaf_secret("repl", internal(ROOT), ROOT))
    bench.cluster("c", secrets=REFS)
    bench.wait(PGCLUSTERS, "c", lambda obj: refusal(obj) == LACKS, "the reason is told")
    events = bench.run(bench.client.list(EVENTS, bench.namespace)).items
    assert (LACKS, "Warning") in {(each["message"], each["type"]) for each in events}
    assert not bench.names(STATEFULSETS)
    assert bench.names(SECRETS) == {"tls", "repl"}

    change = {"data": {"ca.crt": authority}}
    bench.run(bench.client.patch(SECRETS, "tls", bench.namespace, change))
    bench.ready("c")
    assert not refusal(bench.get(PGCLUSTERS, "c"))
    assert not {"c-cluster-cert", "c-replication-cert"} & bench.names(SECRETS)


def test_a_live_cluster_keeps_what_it_runs_with(bench: Bench) -> None:
    before, lives = bench.serials("c"), bench.lives("c")
    bench.change("c", secrets={"customTLSSecret": {"name": "absent"}})
    bench.wait(PGCLUSTERS, "c", lambda obj: "absent" in refusal(obj), "the reason is told")
    assert bench.serials("c") == before
    assert bench.lives("c") == lives
    bench.change("c", secrets=REFS)
    bench.ready("c")
    assert bench.lives("c") == lives


def test_a_root_that_is_made_for_another_cluster_later_is_enough(bench: Bench) -> None:
    root = {"customRootCATLSSecret": {"name": "lender-cluster-ca-cert"}}
    bench.cluster("borrower", secrets=root)
    bench.wait(
        PGCLUSTERS, "borrower", lambda obj: "lender-cluster-ca-cert" in refusal(obj), "it is told"
    )
    bench.cluster("lender")
    bench.ready("lender", "borrower")


def test_a_root_is_enough_once_it_is_valid(bench: Bench) -> None:
    late = Authority.generate(datetime.now(UTC) + BACKDATE + timedelta(seconds=3))
    bench.give(secret("late", {"root.crt": late.pem, "root.key": late.key_pem}))
    bench.cluster("early", secrets={"customRootCATLSSecret": {"name": "late"}})
    bench.wait(PGCLUSTERS, "early", lambda obj: "begins at" in refusal(obj), "the reason is told")
    bench.ready("early")
