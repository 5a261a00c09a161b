"""CERTREQ: what the generated certificates look like."""

from __future__ import annotations

from fixtures.certificates import (
    CertificateFacts,
    describe,
    operator_names,
    primary_name,
)
from fixtures.certificates.names import REPLICATION_USER
from fixtures.scenarios.generated.scenario import Generated, names_left
from suites.breach import EachElement, expect
from suites.requirement import requirement
from suites.stored import required_certificates
from suites.wire import NothingKnown

_CRITICAL = {"2.5.29.15", "2.5.29.19"}
"""keyUsage and basicConstraints (RFC 5280, sections 4.2.1.3 and 4.2.1.9)."""


@requirement("CERTREQ-1a")
def test_the_external_leafs_common_name(generated: Generated) -> None:
    """The external leaf's common name is the full name of the primary Service.

    A final dot is another matter (CERTREQ-3a); any other name breaks it.
    """
    facts = _external(generated)
    full = primary_name("one", generated.namespace)
    expect(
        [name.removesuffix(".") for name in facts.common_names] == [full],
        where=f"Secret {generated.namespace}/one-cluster-cert, key tls.crt",
        promised=f"CN {full}",
        seen=", ".join(facts.common_names) or "none",
    )


@requirement("CERTREQ-1b")
def test_the_external_leafs_names(generated: Generated, each: EachElement) -> None:
    """The external leaf has four names each of the primary and the replica Service.

    Short, with the namespace, with svc and in full. One that is missing breaks it.
    """
    facts = _external(generated)
    present = {name.removesuffix(".") for name in facts.dns_names}
    for name in operator_names("one", generated.namespace):
        with each(name):
            expect(
                name in present,
                where=f"Secret {generated.namespace}/one-cluster-cert, key tls.crt",
                promised=f"DNS name {name}",
                seen=", ".join(facts.dns_names),
            )


@requirement("CERTREQ-2a")
def test_the_internal_leafs_common_name(generated: Generated) -> None:
    """The internal leaf's common name is the replication user's.

    PostgreSQL maps it to the role, so any other name would not replicate.
    """
    facts = _internal(generated)
    expect(
        facts.common_names == (REPLICATION_USER,),
        where=f"Secret {generated.namespace}/one-replication-cert, key tls.crt",
        promised=f"CN {REPLICATION_USER}",
        seen=", ".join(facts.common_names) or "none",
    )


@requirement("CERTREQ-3a")
def test_no_name_ends_in_a_dot(generated: Generated, each: EachElement) -> None:
    """No common name and no DNS name of any generated certificate ends in a dot.

    A name with a final dot matches no host name that a client asks for.
    """
    for found in generated.stored.one.certificates():
        facts = describe(found.certificate)
        dotted = [n for n in (*facts.common_names, *facts.dns_names) if n.endswith(".")]
        with each(str(found)):
            expect(
                not dotted,
                where=f"{found} in {generated.namespace}",
                promised="no name that ends in a dot",
                seen=", ".join(dotted),
            )


@requirement("CERTREQ-4")
def test_the_leaves_form(generated: Generated, each: EachElement) -> None:
    """Both leaves are of the form that the operator's code writes.

    X.509 v3, CA:FALSE and the usages digitalSignature and keyEncipherment critical, the root's key
    identifier, P-256, SHA384, no extended key usage, names in the page's order, and _crunchyrepl
    as the internal leaf's only name.
    """
    root = describe(generated.stored.one.root)
    names = {
        "one-cluster-cert": operator_names("one", generated.namespace),
        "one-replication-cert": (REPLICATION_USER,),
    }
    for facts, (secret, expected) in zip(
        (_external(generated), _internal(generated)), names.items(), strict=True
    ):
        seen = _form(facts)
        promised = {
            "version": 3,
            "CA": False,
            "critical": True,
            "key usages": ("digital_signature", "key_encipherment"),
            "authority key": root.subject_key_id or "that the root itself lacks",
            "key": "P-256",
            "signature": "sha384",
            "extended key usage": (),
            "names": expected,
        }
        for part, value in promised.items():
            with each(f"{secret}, {part}"):
                expect(
                    seen[part] == value,
                    where=f"Secret {generated.namespace}/{secret}, key tls.crt",
                    promised=f"{part} {value}",
                    seen=str(seen[part]),
                )


def _form(facts: CertificateFacts) -> dict[str, object]:
    return {
        "version": facts.version,
        "CA": facts.authority,
        "critical": set(facts.critical) >= _CRITICAL,
        "key usages": facts.key_usages,
        "authority key": facts.authority_key_id,
        "key": facts.key,
        "signature": facts.signature_hash,
        "extended key usage": facts.purposes,
        "names": facts.dns_names,
    }


@requirement("CERTREQ-4a")
def test_names_follow_the_dns_suffix(generated: Generated, each: EachElement) -> None:
    """When the DNS suffix of a live cluster changes, the names in its leaves follow.

    clusterServiceDNSSuffix is set, and a reconcile proven. In each stored leaf that had full names
    these must be there under the new suffix, and none under the old one.
    """
    renamed = generated.renamed
    if renamed is None:
        raise NothingKnown("the subject's resource has no field clusterServiceDNSSuffix")
    wrong = names_left(renamed.before, renamed.after, renamed.suffix)
    for leaf in renamed.before.leaves():
        with each(str(leaf)):
            expect(
                str(leaf) not in wrong,
                where=f"{leaf} in {generated.namespace}",
                promised=f"its full names under {renamed.suffix}",
                seen=", ".join(wrong.get(str(leaf), ())),
                look_at="openssl x509 -noout -ext subjectAltName",
            )


def _external(generated: Generated) -> CertificateFacts:
    inventory = generated.stored.one
    return describe(required_certificates(inventory, inventory.names.server_secret, "tls.crt")[0])


def _internal(generated: Generated) -> CertificateFacts:
    inventory = generated.stored.one
    return describe(
        required_certificates(inventory, inventory.names.replication_secret, "tls.crt")[0]
    )
