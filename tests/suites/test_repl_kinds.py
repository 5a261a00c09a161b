"""Verdicts of the checks of REPL in clusters with custom certificates, and under tlsOnly."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.certificates import Authority, internal_spec
from fixtures.observing.replication_doors import WrongProof
from fixtures.observing.streaming import Streaming, Walsender
from fixtures.observing.trusted_cas import Trust, TrustedCas
from fixtures.pgcluster.cluster import Member
from fixtures.pgcluster.publishedroots import PublishedRoot
from fixtures.probes import (
    Alert,
    Answer,
    Direction,
    ErrorResponse,
    LoginOk,
    Obstacle,
    Refusal,
    TlsFailed,
    TlsSession,
    Unreachable,
)
from fixtures.run.outcomes import Blocked
from suites import test_repl, test_repl_kinds
from suites.breach import Breach, EachElement
from tests.suites.observed import RecordedEvidence, judged, staged

PRIMARY = Member("given-a-0", "10.0.0.1", "primary", "uid", "given-a")
ROOT, OTHER = Authority.create("root"), Authority.create("one-more")
_LEAF = ROOT.issue(internal_spec()).certificate
TLS = TlsSession(leaf=_LEAF, chain=(_LEAF,), version="TLSv1.3", cipher="c", verify=None)
OK = LoginOk(user="_crunchyrepl", database="postgres", tls=TLS)
NO_CERTIFICATE = ErrorResponse(
    severity="FATAL",
    severity_code="FATAL",
    sqlstate="28000",
    message="connection requires a valid client certificate",
    routine="ClientAuthentication",
    tls=TLS,
)
KEPT = Refusal(OK, NO_CERTIFICATE, OK)
_UNKNOWN_CA = Alert(48, Direction.RECEIVED)
ALERTED = Refusal(
    OK,
    TlsFailed(
        alert=_UNKNOWN_CA, verify=None, version="TLSv1.3", detail="", presented="ab", tls=TLS
    ),
    OK,
)


def _judge(custom: Any, tlsonly: Any) -> None:
    each = EachElement()
    test_repl_kinds.test_no_certificate_no_login_in_other_clusters(
        staged(wire={"wrong_proofs": custom}),
        staged(created={"wrong_proofs": tlsonly}),
        each,
        RecordedEvidence(),  # type: ignore[arg-type]
    )
    each.conclude()


def _tried(refusal: Refusal) -> Any:
    return {(PRIMARY, "database postgres"): dict.fromkeys(WrongProof, refusal)}


def test_a_refusal_in_each_kind_keeps_it() -> None:
    _judge(_tried(KEPT), _tried(KEPT))


def test_a_login_in_either_kind_breaks_it_whatever_is_known_of_the_other() -> None:
    broken = Refusal(OK, OK, OK)
    for kinds in ((_tried(broken), _tried(KEPT)), (LookupError("away"), _tried(broken))):
        with pytest.raises(Breach, match="database postgres as _crunchyrepl with TLS without a"):
            _judge(*kinds)


def test_a_cluster_that_could_not_be_tried_leaves_it_unknown() -> None:
    with pytest.raises(LookupError, match="away"):
        _judge(_tried(KEPT), LookupError("away"))


def test_a_control_that_the_server_turned_away_blocks_it() -> None:
    with pytest.raises(Blocked, match="REPL-8"):
        _judge(_tried(Refusal(NO_CERTIFICATE, NO_CERTIFICATE, OK)), _tried(KEPT))


def test_a_database_is_judged_by_the_proofs_that_were_tried_there() -> None:
    elsewhere = {(PRIMARY, "database template1"): {WrongProof.NOTHING: Refusal(OK, OK, OK)}}
    with pytest.raises(Breach, match="database template1 as _crunchyrepl with TLS without a"):
        _judge({**_tried(KEPT), **elsewhere}, _tried(KEPT))
    _foreign({**_tried(ALERTED), **elsewhere}, _trust(ROOT))


def _trust(*authorities: Authority) -> Trust:
    return Trust(
        trusted=_trusting(*authorities),
        published=PublishedRoot("born-cluster-ca-cert", "root.crt", (ROOT.certificate,)),
    )


def _foreign(custom: Any, trust: Trust | Exception) -> None:
    each = EachElement()
    test_repl_kinds.test_a_certificate_of_another_ca_is_refused_in_other_clusters(
        staged(wire={"wrong_proofs": custom}),
        staged(created={"wrong_proofs": _tried(ALERTED), "trust": trust}),
        each,
        RecordedEvidence(),  # type: ignore[arg-type]
    )
    each.conclude()


def test_under_tls_only_the_published_root_alone_is_trusted() -> None:
    _foreign(_tried(ALERTED), _trust(ROOT))
    with pytest.raises(Breach, match="no CA beside that of Secret born-cluster-ca-cert"):
        _foreign(_tried(ALERTED), _trust(ROOT, OTHER))
    with pytest.raises(LookupError, match="away"):
        _foreign(_tried(ALERTED), LookupError("away"))


def _trusting(*authorities: Authority) -> dict[Member, TrustedCas]:
    certificates = tuple(authority.certificate for authority in authorities)
    names = tuple(one.subject for one in certificates)
    return {PRIMARY: TrustedCas(file="ca.crt", certificates=certificates, named=names)}


def _judge_trust(custom: Any, rooted: Any) -> None:
    deployed = {"deployed": {"certificates": SimpleNamespace(root=ROOT)}}
    each = EachElement()
    test_repl.test_no_other_ca_is_trusted_beside_the_users(
        staged(**deployed, wire={"trusted": custom}),
        staged(deployed={"root": ROOT}, observed={"trusted": {"first": rooted}}),
        each,
        RecordedEvidence(),  # type: ignore[arg-type]
    )
    each.conclude()


def test_the_users_ca_alone_is_trusted() -> None:
    _judge_trust(_trusting(ROOT), _trusting(ROOT))
    with pytest.raises(Breach, match="CN=one-more"):
        _judge_trust(_trusting(ROOT, OTHER), _trusting(ROOT))
    with pytest.raises(Breach, match="no CA beside that of Secret first-root"):
        _judge_trust(LookupError("away"), _trusting(ROOT, OTHER))
    with pytest.raises(LookupError, match="away"):
        _judge_trust(LookupError("away"), _trusting(ROOT))


def test_an_answer_that_says_nothing_leaves_it_unknown() -> None:
    silent: Answer = Unreachable(obstacle=Obstacle.CLIENT, detail="exec")
    with pytest.raises(Exception, match="exec"):
        _judge(_tried(Refusal(OK, silent, OK)), _tried(KEPT))


def _on_a_root(check: Any, found: Streaming | Exception, *more: Any) -> None:
    judged(check, staged(observed={"streaming": {"first": found}}), *more)


def _streaming(**row: Any) -> Streaming:
    as_promised = {"ssl": True, "client_dn": "/CN=_crunchyrepl"}
    walsender = Walsender(
        pid=7,
        state="streaming",
        address="10.0.0.2",
        flushed=None,
        client_serial="1",
        issuer_dn="/CN=root",
        **{**as_promised, **row},
    )
    return Streaming(primary=PRIMARY, replicas=1, walsenders=(walsender,))


def test_replication_on_a_custom_root_is_as_everywhere() -> None:
    tls = test_repl_kinds.test_every_walsender_uses_tls_on_a_custom_root
    names = test_repl_kinds.test_walsenders_show_the_replication_certificate_on_a_custom_root
    _on_a_root(tls, _streaming(), RecordedEvidence())
    _on_a_root(names, _streaming())
    with pytest.raises(Breach, match="ssl is false"):
        _on_a_root(tls, _streaming(ssl=False), RecordedEvidence())
    none = Streaming(primary=PRIMARY, replicas=1, walsenders=())
    with pytest.raises(Breach, match="0 of 1"):
        _on_a_root(tls, none, RecordedEvidence())
    with pytest.raises(Breach, match="/CN=somebody"):
        _on_a_root(names, _streaming(client_dn="/CN=somebody"))
    for check, more in ((tls, (RecordedEvidence(),)), (names, ())):
        with pytest.raises(LookupError, match="away"):
            _on_a_root(check, LookupError("away"), *more)
