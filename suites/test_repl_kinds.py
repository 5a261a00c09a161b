"""REPL: replication and its user in clusters of other kinds: custom certificates, tlsOnly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fixtures.observing.replication_doors import STREAMING, WrongProof
from fixtures.observing.settling import known
from fixtures.probes import (
    Answer,
    as_json,
    refused_by_a_rule,
    refused_by_postgres,
    refused_for_missing_client_certificate,
    refused_for_wrong_common_name,
    unknown_ca_alert,
)
from fixtures.scenarios.custom import Custom
from fixtures.scenarios.custom_root import CustomRoot
from fixtures.scenarios.tls_only.scenario import TlsOnly
from suites.breach import EachElement
from suites.looks import if_known
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.streaming import judge_names_of_walsenders, judge_tls_of_walsenders
from suites.trust import judge_trust
from suites.wire import Predicate, judge_refusal, promised_by


@requirement("REPL-1", since="2.5")
def test_every_walsender_uses_tls_on_a_custom_root(
    rootca: CustomRoot, each: EachElement, evidence: CheckEvidence
) -> None:
    """On a root that the user gives each replica streams over TLS, too.

    Looked at in both clusters of the page's mappings, after a proven reconcile. With custom leaves
    CUSTOM-6b tells it, with tlsOnly TLSONLY-5a.
    """
    for cluster, found in rootca.observed.streaming.items():
        evidence.data(f"{cluster}-walsenders", found)
        with each(f"cluster {cluster}"):
            judge_tls_of_walsenders(each, known(found))


@requirement("REPL-2", since="2.5")
def test_walsenders_show_the_replication_certificate_on_a_custom_root(
    rootca: CustomRoot, each: EachElement
) -> None:
    """There, too, each replica authenticates by a certificate of the only name _crunchyrepl."""
    for cluster, found in rootca.observed.streaming.items():
        with each(f"cluster {cluster}"):
            judge_names_of_walsenders(each, known(found))


@requirement("REPL-3", since="2.6")
def test_no_certificate_no_login_in_other_clusters(
    custom: Custom, tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With custom certificates, or tlsOnly, the replication user needs a certificate as well.

    Tried over TLS as replication=true and at databases postgres and template1, at each address of
    each instance of a cluster with both custom Secrets and of one that was created with tlsOnly:
    FATAL 28000 from ClientAuthentication, between logins for streaming by the right certificate.
    """
    promised = "FATAL 28000 from ClientAuthentication"
    kept = refused_for_missing_client_certificate
    _judge(custom, tlsonly, each, evidence, WrongProof.NOTHING, kept, promised)


@requirement("REPL-4", since="2.6")
def test_a_certificate_of_another_ca_is_refused_in_other_clusters(
    custom: Custom, tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With custom certificates, or tlsOnly, another CA's certificate opens no door either.

    Tried for streaming and at database postgres; TLS must end with alert 48, 42 or 51. Under
    tlsOnly each instance trusts no CA but the one that its cluster's Secrets publish, by its
    ssl_ca_file and by the names of CAs with which it asks for a certificate; a check of their own
    tells that of the others.
    """
    if isinstance(trust := tlsonly.created.trust, Exception):
        with each("the CAs that are trusted under tlsOnly"):
            raise trust
    else:
        for member, trusted in trust.trusted.items():
            evidence.data(f"{member.pod}-trusts.json", as_json(trusted))
            with each(f"{member}, the CAs that it trusts"):
                judge_trust(str(member), trusted, trust.published.certificates, of=trust.published)
    promised = "TLS alert 48, 42 or 51"
    _judge(custom, tlsonly, each, evidence, WrongProof.FOREIGN, unknown_ca_alert, promised)


@requirement("REPL-5", since="2.6")
def test_the_replication_user_is_refused_in_plaintext_in_other_clusters(
    custom: Custom, tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With custom certificates, or tlsOnly, the replication user does not get in without TLS.

    Tried where REPL-3 tries: FATAL 28000 from ClientAuthentication before anything is asked.
    """
    promised = "FATAL 28000 from ClientAuthentication"
    _judge(custom, tlsonly, each, evidence, WrongProof.PLAINTEXT, refused_by_postgres, promised)


@requirement("REPL-6", since="2.6")
def test_another_common_name_is_refused_in_other_clusters(
    custom: Custom, tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With custom certificates, or tlsOnly, the cluster's external leaf opens no door.

    Tried for streaming and at database postgres: FATAL 28000 from auth_failed.
    """
    promised, kept = "FATAL 28000 from auth_failed", refused_for_wrong_common_name
    _judge(custom, tlsonly, each, evidence, WrongProof.OTHER_NAME, kept, promised)


def _judge(
    custom: Custom,
    tlsonly: TlsOnly,
    each: EachElement,
    evidence: CheckEvidence,
    proof: WrongProof,
    kept: Predicate,
    promised: str,
) -> None:
    answers = {}
    looks = {"custom Secrets": custom.wire.wrong_proofs, "tlsOnly": tlsonly.created.wrong_proofs}
    for kind, found in looks.items():
        for (member, door), refusals in if_known(each, kind, found).items():
            if proof not in refusals:
                continue
            # A rule may turn everybody away from that database: only later must it open.
            ways = (kept,) if door == STREAMING else (kept, refused_by_a_rule)
            place = f"{member}, {door}, {kind}"
            answers[place] = as_json(refusals[proof])
            with each(place):
                judge_refusal(
                    refusals[proof],
                    partial(_any_of, ways),
                    where=f"{member}, {door} as _crunchyrepl with {proof}",
                    promised=promised,
                    look_at="pg_hba_file_rules of the instance",
                    control=promised_by("REPL-8"),
                )
    evidence.data(f"{proof.name.lower()}-elsewhere.json", answers)


def _any_of(ways: Sequence[Predicate], answer: Answer) -> bool:
    return any(way(answer) for way in ways)
