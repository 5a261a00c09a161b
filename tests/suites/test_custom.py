"""Verdicts of the checks of CUSTOM on replication, and on logins through PgBouncer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.certificates import recipe_set
from fixtures.observing.pooler_login import PooledLogin
from fixtures.observing.streaming import Streaming, Walsender
from fixtures.pgcluster.cluster import Member, Outcome
from fixtures.probes import LoginOk, TlsAccepted, TlsSession
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.custom_refused.scenario import Recovered
from fixtures.scenarios.custom_refused.variants import variants
from suites import test_custom as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import RecordedEvidence, judged

NAMESPACE = "ns"
PRIMARY = Member("given-a-0", "10.0.0.1", "primary", "uid-1", "given-a")
POOLER = Member("given-pgbouncer-0", "10.0.0.3", "pgbouncer", "uid-3")
GIVEN = recipe_set("given", NAMESPACE)
VARIANT = variants(NAMESPACE)[0]
OK = LoginOk(user="given", database="given", rows=(("given",),))
REFUSED = PooledLogin(pooler=POOLER, refusal="TLS error: name not present in server certificate")


def _row(serial: int, *, state: str = "streaming", issuer: str = "") -> Walsender:
    return Walsender(
        pid=serial % 1000,
        state=state,
        address="10.0.0.2",
        flushed=None,
        ssl=True,
        client_dn="/CN=_crunchyrepl",
        client_serial=str(serial),
        issuer_dn=issuer,
    )


def _streaming(*rows: Walsender, replicas: int = 1) -> Streaming:
    return Streaming(primary=PRIMARY, replicas=replicas, walsenders=rows)


def _given_row() -> Walsender:
    issuer = f"/CN={GIVEN.root.certificate.subject.rfc4514_string()[3:]}"
    return _row(GIVEN.internal.certificate.serial_number, issuer=issuer)


def _walsenders(seen: Streaming) -> None:
    observed: Any = SimpleNamespace(
        namespace=NAMESPACE,
        deployed=SimpleNamespace(certificates=GIVEN),
        wire=SimpleNamespace(streaming=seen),
    )
    judged(checks.test_walsenders_use_the_internal_leaf, observed, RecordedEvidence())


def test_the_given_leaf_at_every_walsender_keeps_6b() -> None:
    _walsenders(_streaming(_given_row()))


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_replica_that_does_not_stream_breaks_6b(replicas: int) -> None:
    rows = [_given_row()] * (replicas - 1)
    with pytest.raises(Breach, match=f"promised {replicas} streaming"):
        _walsenders(_streaming(*rows, replicas=replicas))


def _recovered(found: Recovered) -> None:
    corrected = SimpleNamespace(recovered={VARIANT: found})
    observed: Any = SimpleNamespace(namespace=NAMESPACE, corrected=corrected)
    judged(checks.test_corrected_secrets_are_enough, observed)


def _ready(seen: Streaming) -> Recovered:
    leaf = VARIANT.certificates.external.certificate
    session = TlsSession(leaf=leaf, chain=(leaf,), version="TLSv1.3", cipher="c", verify=None)
    served = {PRIMARY: TlsAccepted(tls=session)}
    return Recovered(outcome=Outcome(True, "ready"), served=served, streaming=seen)


def test_a_corrected_cluster_that_runs_with_what_was_given_keeps_2b() -> None:
    _recovered(_ready(_streaming(_row(VARIANT.certificates.internal.certificate.serial_number))))


@pytest.mark.parametrize("state", ["catchup", "startup"])
def test_one_that_is_ready_and_whose_replicas_never_stream_breaks_2b(state: str) -> None:
    row = _row(VARIANT.certificates.internal.certificate.serial_number, state=state)
    for rows in ((), (row,)):
        with pytest.raises(Breach, match="promised 1 streaming; seen 0 of 1"):
            _recovered(_ready(_streaming(*rows)))


def test_one_that_replicates_by_another_leaf_breaks_2b() -> None:
    with pytest.raises(Breach, match="promised the given internal leaf; seen 4711"):
        _recovered(_ready(_streaming(_row(4711))))


def _pooled(pooled: PooledLogin, *, by_uri: bool = True, nameless: PooledLogin = REFUSED) -> None:
    wire = SimpleNamespace(pooled=pooled, nameless=nameless, by_uri=by_uri)
    observed: Any = SimpleNamespace(namespace=NAMESPACE, wire=wire)
    checks.test_logins_through_pgbouncer(observed, RecordedEvidence())  # type: ignore[arg-type]


def test_a_login_and_a_refused_control_keep_8b() -> None:
    _pooled(PooledLogin(pooler=POOLER, answer=OK))


def test_a_server_leg_that_does_not_verify_breaks_8b_whatever_psql_did() -> None:
    with pytest.raises(Breach, match="not present in server certificate"):
        _pooled(REFUSED, by_uri=False)


def test_silence_at_either_leaves_8b_unknown() -> None:
    silent = PooledLogin(pooler=POOLER, seconds=15)
    with pytest.raises(NothingKnown, match="neither an answer nor a line of its log in 15 s"):
        _pooled(silent)
    good = PooledLogin(pooler=POOLER, answer=OK)
    with pytest.raises(NothingKnown, match="the control was not refused: neither"):
        _pooled(good, nameless=silent)


def test_what_8b_stands_on_is_promised_elsewhere() -> None:
    good = PooledLogin(pooler=POOLER, answer=OK)
    with pytest.raises(Blocked, match=r"CUSTOM-8d: the control was let in"):
        _pooled(good, nameless=replace(good))
    with pytest.raises(Blocked, match="CONN-2: psql did not log in"):
        _pooled(good, by_uri=False)


@pytest.mark.parametrize(
    ("nameless", "outcome"),
    [
        (REFUSED, None),
        (PooledLogin(pooler=POOLER, answer=OK), Breach),
        (PooledLogin(pooler=POOLER, seconds=15), NothingKnown),
        (Outcome(False, "cluster nameless ready", "initializing"), NothingKnown),
    ],
)
def test_8d_is_a_line_of_pgbouncers_log_and_broken_by_a_login(
    nameless: PooledLogin | Outcome, outcome: type[Exception] | None
) -> None:
    observed: Any = SimpleNamespace(namespace=NAMESPACE, wire=SimpleNamespace(nameless=nameless))
    if outcome is None:
        checks.test_pgbouncer_verifies_the_primarys_name(observed)
        return
    with pytest.raises(outcome):
        checks.test_pgbouncer_verifies_the_primarys_name(observed)
