"""TLS below 1.2 at the endpoints of every scenario: rows of CONN and TLSONLY."""

from __future__ import annotations

from fixtures.scenarios.custom import Custom
from fixtures.scenarios.generated.scenario import Generated
from fixtures.scenarios.tls_only.scenario import TlsOnly
from suites.breach import EachElement
from suites.looks import if_known
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import judge_versions, keep_offers


@requirement("CONN-14")
def test_no_endpoint_accepts_old_tls(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """No endpoint of a cluster with generated certificates takes TLS 1.0 or 1.1.

    Primary, replicas and PgBouncers are offered these two alone, by a ClientHello of our own that
    no TLS library has a say in. One that chooses either breaks the promise, at whichever address of
    its Pod. Alert 70 is a refusal, and so is hanging up where the like of it with TLS 1.2 is
    answered; a client of today is the control.
    """
    for cluster, offers in generated.wire.offers.items():
        keep_offers(evidence, offers, cluster)
        judge_versions(each, offers, control="AUTO-1")


@requirement("CONN-14")
def test_no_endpoint_with_custom_certificates_accepts_old_tls(
    custom: Custom, each: EachElement, evidence: CheckEvidence
) -> None:
    """No endpoint of a cluster with the user's certificates takes TLS 1.0 or 1.1.

    Looked at as in the cluster with generated ones.
    """
    keep_offers(evidence, custom.wire.offers)
    judge_versions(each, custom.wire.offers, control="CUSTOM-6a")


@requirement("TLSONLY-6")
def test_no_endpoint_accepts_old_tls_under_tls_only(
    tlsonly: TlsOnly, each: EachElement, evidence: CheckEvidence
) -> None:
    """With tlsOnly no primary, replica or PgBouncer takes TLS 1.0 or 1.1.

    In a cluster that was created with tlsOnly, and in one that was toggled, at the end. Each is
    offered these two alone, by a ClientHello of our own; one that chooses either breaks the
    promise. A client of today is the control.
    """
    toggled = if_known(each, "cluster plain", tlsonly.settings_repeated.offers)
    for cluster, offers in (("born", tlsonly.created.offers), ("plain", toggled)):
        keep_offers(evidence, offers, cluster)
        judge_versions(each, offers, control="AUTO-1")
