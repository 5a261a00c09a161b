"""Findings: errors of the documentation, shown on what runs; none is a verdict on the operator."""

from __future__ import annotations

from typing import Any

from fixtures.certificates import describe, verify_chain
from fixtures.kube.resources import CRDS, Json
from fixtures.observing.settling import known
from fixtures.operators.certmanager import find_cert_manager
from fixtures.operators.subject import CLUSTER_CRD
from fixtures.operators.versions import at_least
from fixtures.probes import describe_answer, handshake_done, plaintext_accepted
from fixtures.scenarios.base import Harness
from fixtures.scenarios.custom import Custom
from fixtures.scenarios.generated.scenario import Generated
from fixtures.scenarios.tls_only.scenario import TlsOnly
from suites.plugin.checks import Findings
from suites.requirement import finding
from suites.stored import required_certificates
from suites.wire import served_leaf

_LISTED_FIELDS = ("customTLSSecret", "customReplicationTLSSecret")
_WHERE = f"the schema of the installed CustomResourceDefinition {CLUSTER_CRD}"


@finding("FINDING-1")
def test_the_custom_secrets_are_named_under_secrets(harness: Harness, findings: Findings) -> None:
    """The page's path of the two references is none of the resource's; they are under secrets.

    Read off the schema of the installed resource definition, by which the API refuses or prunes
    what it does not know.
    """
    spec = _spec_fields(harness)
    secrets = spec.get("secrets", {}).get("properties", {})
    if not set(_LISTED_FIELDS) & set(spec) and set(_LISTED_FIELDS) <= set(secrets):
        names = " and ".join(_LISTED_FIELDS)
        findings.shown(
            "FINDING-1", where=_WHERE, seen=f"spec.secrets has {names}, spec has neither"
        )


@finding("FINDING-3")
def test_before_2_9_there_is_no_certificate_to_delete(harness: Harness, findings: Findings) -> None:
    """Before 2.9 the operator makes no Certificates and Issuers, so that none can be deleted.

    Shown where the cluster does not even have the kind Certificate, while clusters get theirs.
    """
    version = harness.subject.version
    if not at_least(version, "2.9") and not find_cert_manager(harness.kube).installed:
        findings.shown(
            "FINDING-3",
            where=f"the cluster in which operator {version} makes certificates",
            seen="no kind Certificate, nor Issuer",
        )


@finding("FINDING-5")
def test_names_in_the_samples_end_in_a_dot(
    generated: Generated, findings: Findings, harness: Harness
) -> None:
    """Names in real leaves of 2.8 and later end without the dot that the page's samples show."""
    inventory = generated.stored.one
    leaf = required_certificates(inventory, inventory.names.server_secret, "tls.crt")[0]
    names = describe(leaf).dns_names
    if at_least(harness.subject.version, "2.8") and not any(name.endswith(".") for name in names):
        findings.shown(
            "FINDING-5",
            where=f"Secret {generated.namespace}/{inventory.names.server_secret}, key tls.crt",
            seen=", ".join(names),
        )


@finding("FINDING-10")
def test_pgbouncer_does_not_present_the_custom_leaf(custom: Custom, findings: Findings) -> None:
    """PgBouncer shows no custom leaf, and the custom root is not what verifies the one it shows.

    It verifies under pgbouncer-frontend.ca-roots of PgBouncer's own Secret, of which the page on
    custom certificates says nothing.
    """
    custom_root = custom.deployed.certificates.root.certificate
    for member, answer in custom.wire.pooler.items():
        leaf = served_leaf(member, answer)
        by_custom = verify_chain(leaf, [custom_root])
        if handshake_done(answer) and not by_custom.ok:
            findings.shown(
                "FINDING-10",
                where=f"{member}, from pg-client",
                seen=f"verifies under ca-roots; under the custom root: {by_custom.message}",
            )
            return


@finding("FINDING-15")
def test_tls_only_is_no_field_before_2_6(harness: Harness, findings: Findings) -> None:
    """Up to 2.5 the installed resource definition has no field tlsOnly, which its pages describe.

    On later versions there is nothing to be shown.
    """
    if not at_least(harness.subject.version, "2.6") and "tlsOnly" not in _spec_fields(harness):
        findings.shown("FINDING-15", where=_WHERE, seen="spec has no tlsOnly")


@finding("FINDING-19")
def test_a_plaintext_rule_is_worth_nothing_beside_tls_only(
    tlsonly: TlsOnly, findings: Findings
) -> None:
    """A rule that the options' page offers lets plaintext in without tlsOnly alone.

    The same login of the same user at the same member, before and after tlsOnly was set. Where it
    still gets in, that is TLSONLY-4a's to judge, and nothing is shown here.
    """
    for kind, answers in tlsonly.tls_optional.plaintext.items():
        refusals = known(tlsonly.tls_enforced.reopening[kind])
        for member, before in known(answers).items():
            after = refusals.get(member)
            if after is None or not plaintext_accepted(before) or plaintext_accepted(after.answer):
                continue
            seen = f"before: {describe_answer(before)}; with it: {describe_answer(after.answer)}"
            findings.shown("FINDING-19", where=f"{member}, a user's rule {kind}", seen=seen)
            return


def _spec_fields(harness: Harness) -> dict[str, Any]:
    """Return the properties of a PG cluster's spec. Raises LookupError where none are declared."""
    crd: Json = harness.kube.get(CRDS, CLUSTER_CRD)
    versions = [version for version in crd["spec"]["versions"] if version.get("served")]
    for version in versions:
        schema = version.get("schema", {}).get("openAPIV3Schema", {}).get("properties", {})
        fields: dict[str, Any] = schema.get("spec", {}).get("properties", {})
        if fields:
            return fields
    raise LookupError(f"{_WHERE} declares no fields of spec")
