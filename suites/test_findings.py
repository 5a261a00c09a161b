"""Findings: errors of the documentation, shown on what is installed; none is a verdict."""

from __future__ import annotations

from typing import Any

from fixtures.kube.resources import CRDS, Json
from fixtures.operators.certmanager import find_cert_manager
from fixtures.operators.subject import CLUSTER_CRD
from fixtures.operators.versions import at_least
from fixtures.scenarios.base import Harness
from suites.plugin.checks import Findings
from suites.requirement import finding

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


@finding("FINDING-15")
def test_tls_only_is_no_field_before_2_6(harness: Harness, findings: Findings) -> None:
    """Up to 2.5 the installed resource definition has no field tlsOnly, which its pages describe.

    On later versions there is nothing to be shown.
    """
    if not at_least(harness.subject.version, "2.6") and "tlsOnly" not in _spec_fields(harness):
        findings.shown("FINDING-15", where=_WHERE, seen="spec has no tlsOnly")


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
