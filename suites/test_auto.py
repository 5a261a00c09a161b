"""AUTO: certificates that the operator generates when it is given none."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509

from fixtures.certificates import (
    der,
    describe,
    is_authority,
    is_self_issued,
    is_self_signed,
    verify_chain,
)
from fixtures.pgcluster.inventory import Inventory, StoredSecret
from fixtures.pgcluster.names import CERTIFICATE, CLUSTER
from fixtures.probes import handshake_done
from fixtures.scenarios.generated.scenario import Generated
from suites.breach import EachElement, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.stored import required_certificates, required_secret
from suites.wire import judge, keep_offers, no_tls

Certificates = tuple[x509.Certificate, ...]

KEYS = {
    "cluster-ca-cert": ("root.crt",),
    "cluster-cert": ("tls.crt", "tls.key", "ca.crt"),
    "replication-cert": ("tls.crt", "tls.key", "ca.crt"),
}
COUNTS = {
    "cluster-ca-cert": 2,
    "cluster-cert": 3,
    "replication-cert": 3,
    "pgbackrest": 5,
    "pgbouncer": 6,
}
USER_KEYS = 12
INSTANCE_KEYS = 6
A_YEAR = timedelta(days=365)
_MAY_HAVE_MORE = "pgbouncer-frontend.ca-roots"


@requirement("AUTO-1")
def test_tls_is_spoken_at_every_pod(
    generated: Generated, each: EachElement, evidence: CheckEvidence
) -> None:
    """Without any certificate Secret in the CR every Pod of the ready cluster speaks TLS.

    Each of primary, replicas and PgBouncers must answer SSLRequest with S and end the handshake,
    seen from pg-client at the Pod's own address. A Pod that declines TLS, or ends the handshake
    by an alert, breaks it; one that cannot be reached, or goes silent, says nothing. SHOW ssl of
    each instance is kept beside it, and what each endpoint offers: the versions of TLS that it
    accepts from 1.0 on, the ciphers chosen, its chain as sent, whether it asks for a certificate
    and which CAs it names, ALPN.
    """
    for cluster, offers in generated.wire.offers.items():
        keep_offers(evidence, offers, cluster)
    shown = generated.wire.ssl
    evidence.data("show-ssl", str(shown) if isinstance(shown, Exception) else shown)
    for member, answer in generated.wire.plain_handshakes.items():
        with each(str(member)):
            judge(
                answer,
                kept=handshake_done,
                broken=no_tls,
                where=member,
                promised="a finished TLS handshake",
                look_at="SHOW ssl; the Pod's log",
            )


@requirement("AUTO-2a")
def test_every_secret_exists(generated: Generated, each: EachElement) -> None:
    """The cluster's Secrets exist under their published names, one more for each instance.

    Each is read by name; one that the API does not have breaks it.
    """
    for stored in _both(generated):
        for name in stored.expected:
            with each(f"Secret {name}"):
                expect(
                    name in stored.secrets,
                    where=f"Secret {generated.namespace}/{name}",
                    promised="it exists once the cluster is ready",
                    seen="404 NotFound",
                    look_at="the operator's log",
                )


@requirement("AUTO-2b")
def test_the_keys_that_the_page_uses_are_there(generated: Generated, each: EachElement) -> None:
    """root.crt lies in the CA's Secret; tls.crt, tls.key and ca.crt in both leaf Secrets.

    A key that is missing, or has no certificate (tls.key: no private key) in it, breaks it.
    """
    for stored in _both(generated):
        for part, keys in KEYS.items():
            secret = stored.secrets.get(stored.names.of(part))
            for key in keys:
                with each(f"Secret {stored.names.of(part)}, key {key}"):
                    expect(
                        secret is not None and _can_be_read(secret, key),
                        where=f"Secret {generated.namespace}/{stored.names.of(part)}",
                        promised=f"key {key} with a {_kind(key)}",
                        seen=_content(secret, key),
                    )


@requirement("AUTO-2c")
def test_numbers_of_keys(generated: Generated, each: EachElement) -> None:
    """The Secrets hold as many keys as the page's listing shows: 2, 3, 3, 5, 6, 12, and 6 each.

    Another number for any of them differs from the listing.
    """
    for stored in _both(generated):
        counts = {stored.names.of(part): count for part, count in COUNTS.items()}
        counts[stored.names.user_secret()] = USER_KEYS
        for name, secret in stored.secrets.items():
            with each(f"Secret {name}"):
                expected = counts.get(name, INSTANCE_KEYS)
                expect(
                    len(secret.keys) == expected,
                    where=f"Secret {generated.namespace}/{name}",
                    promised=f"{expected} keys",
                    seen=f"{len(secret.keys)}: {', '.join(secret.keys)}",
                )


@requirement("AUTO-4a")
def test_the_root_is_a_root(generated: Generated, each: EachElement) -> None:
    """The published root names itself as issuer, verifies under itself and is a CA.

    Clients are told to trust it: one that is no CA, or signed by something else, breaks it, and so
    does a second certificate beside it, which they would trust as well.
    """
    for inventory in _both(generated):
        published, root = inventory.published, inventory.root
        result = verify_chain(root, [root], at=inventory.read_at)
        with each(str(published)):
            expect(
                len(published.certificates) == 1
                and is_self_signed(root)
                and result.ok
                and is_authority(root),
                where=f"{published} in {generated.namespace}",
                promised="one self-issued CA certificate that verifies under itself",
                seen=f"{len(published.certificates)} in all; the first is self-issued: "
                f"{is_self_issued(root)}, signed by its own key: {is_self_signed(root)}, "
                f"CA: {is_authority(root)}, verification: {result.message}",
            )


@requirement("AUTO-4b")
def test_certificates_live_long_enough(generated: Generated, each: EachElement) -> None:
    """Generated leaves live for a year or more, and the root ends later than all of them.

    A leaf that lives shorter, or outlives its root, breaks it.
    """
    for inventory in _both(generated):
        root_ends = inventory.root.not_valid_after_utc
        for leaf in inventory.leaves():
            start = leaf.certificate.not_valid_before_utc
            end = leaf.certificate.not_valid_after_utc
            with each(str(leaf)):
                expect(
                    end - start >= A_YEAR and end < root_ends,
                    where=f"{leaf} in {generated.namespace}",
                    promised="365 days or more, and an end before the root's",
                    seen=f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}; the root ends "
                    f"{root_ends:%Y-%m-%d %H:%M}",
                )


@requirement("AUTO-4c")
def test_the_roots_form(generated: Generated, each: EachElement) -> None:
    """The root is postgres-operator-ca, P-256 with SHA384, pathlen 0, ten years, one hour back.

    What the operator's code writes; any other value differs from it.
    """
    for inventory in _both(generated):
        with each(str(inventory.published)):
            facts = describe(inventory.root)
            seen = {
                "common name": facts.common_names,
                "key": facts.key,
                "signature": facts.signature_hash,
                "path length": facts.path_length,
                "key usages": facts.key_usages,
                "lifetime": facts.not_after - facts.not_before,
            }
            promised = {
                "common name": ("postgres-operator-ca",),
                "key": "P-256",
                "signature": "sha384",
                "path length": 0,
                "key usages": ("key_cert_sign", "crl_sign"),
                "lifetime": timedelta(days=3650, hours=1),
            }
            differing = [name for name in promised if seen[name] != promised[name]]
            expect(
                not differing,
                where=f"{inventory.published} in {generated.namespace}",
                promised="; ".join(f"{name} {promised[name]}" for name in differing),
                seen="; ".join(f"{name} {seen[name]}" for name in differing),
            )


@requirement("AUTO-5a")
def test_both_leaf_secrets_share_the_ca(generated: Generated, each: EachElement) -> None:
    """ca.crt is one and the same certificate in the external and the internal Secret.

    Compared byte by byte. A difference breaks it, and so does a second certificate in either: who
    trusts ca.crt would trust that one as well.
    """
    for inventory in _both(generated):
        with each(f"cluster {inventory.names.cluster}"):
            names = inventory.names.server_secret, inventory.names.replication_secret
            external, internal = (
                required_certificates(inventory, name, "ca.crt") for name in names
            )
            expect(
                external == internal and len(external) == 1,
                where=f"ca.crt of {' and '.join(names)}",
                promised="the same single certificate",
                seen=f"{_serials(external)} and {_serials(internal)}",
            )


@requirement("AUTO-5b")
def test_the_leaves_are_two(generated: Generated, each: EachElement) -> None:
    """tls.crt differs between the external and the internal Secret, and so does its key.

    One certificate, or one key, for both purposes breaks it.
    """
    for inventory in _both(generated):
        with each(f"cluster {inventory.names.cluster}"):
            external = required_certificates(inventory, inventory.names.server_secret, "tls.crt")[0]
            internal = required_certificates(
                inventory, inventory.names.replication_secret, "tls.crt"
            )[0]
            same_key = external.public_key() == internal.public_key()
            expect(
                der(external) != der(internal) and not same_key,
                where=f"tls.crt of {inventory.names.server_secret} and of the replication Secret",
                promised="two certificates with keys of their own",
                seen="one public key in both" if same_key else "one certificate in both",
            )


@requirement("AUTO-5c")
def test_keys_belong_to_their_leaves(generated: Generated, each: EachElement) -> None:
    """Every generated private key is that of the certificate beside it.

    A pair that does not match, or a key that is none, could not serve.
    """
    secrets = [secret for stored in _both(generated) for secret in stored.secrets.values()]
    for secret in secrets:
        for key, own in secret.own_keys.items():
            with each(f"Secret {secret.name}, key {key}"):
                expect(
                    own,
                    where=f"Secret {generated.namespace}/{secret.name}, key {key}",
                    promised="the private key beside it is its own",
                    seen="another key, or none",
                )


@requirement("AUTO-5d")
def test_published_roots_agree(generated: Generated, each: EachElement) -> None:
    """The root is the same wherever it is published: root.crt, and the three ca-roots.

    Compared byte by byte with ca.crt of the external Secret. Another certificate breaks it, and so
    does one more, which may stand in PgBouncer's ca-roots alone.
    """
    for inventory in _both(generated):
        ca = required_certificates(inventory, inventory.names.server_secret, "ca.crt")
        for name, key in _places_of_the_root(inventory):
            with each(f"Secret {name}, key {key}"):
                secret = inventory.secrets.get(name)
                found = secret.certificates.get(key, ()) if secret else ()
                compared = found[:1] if key == _MAY_HAVE_MORE else found
                expect(
                    compared == ca,
                    where=f"Secret {generated.namespace}/{name}, key {key}",
                    promised=f"ca.crt of {inventory.names.server_secret}, {_serials(ca)}",
                    seen=_serials(found),
                )


@requirement("AUTO-7a")
def test_reconciles_change_no_certificate(generated: Generated, each: EachElement) -> None:
    """Reconciles alone re-issue nothing: all certificates are the same after three of them.

    Each reconcile is proven by an operator-owned label that returned. A fingerprint that differs,
    or a certificate that came or went, breaks it.
    """
    before, after = generated.reconciled.before, generated.reconciled.after
    for place in sorted({*before, *after}):
        with each(place):
            expect(
                before.get(place) == after.get(place),
                where=f"Secret {generated.namespace}/{place}",
                promised="the same certificate after three reconciles",
                seen=f"{_listed(before.get(place))}, then {_listed(after.get(place))}",
            )


@requirement("AUTO-8")
def test_leaf_secrets_are_labelled(generated: Generated, each: EachElement) -> None:
    """The external and internal Secret carry the cluster's label and say what they are for.

    By these labels people and tools find them.
    """
    for inventory in _both(generated):
        cluster = inventory.names.cluster
        purposes = {
            inventory.names.server_secret: "postgres-tls",
            inventory.names.replication_secret: "replication-client-tls",
        }
        for name, purpose in purposes.items():
            with each(f"Secret {name}"):
                labels = required_secret(inventory, name).labels
                expect(
                    labels.get(CLUSTER) == cluster and labels.get(CERTIFICATE) == purpose,
                    where=f"Secret {generated.namespace}/{name}",
                    promised=f"labels {CLUSTER}={cluster}, {CERTIFICATE}={purpose}",
                    seen=f"{labels.get(CLUSTER)!r}, {labels.get(CERTIFICATE)!r}",
                )


@requirement("AUTO-9")
def test_generated_certificates_give_a_ready_cluster(
    generated: Generated, each: EachElement
) -> None:
    """A cluster that names no certificate Secret becomes ready, with all its instances.

    Within the deadline `ready`. Where one does not, a control cluster with certificates of the
    user's must have become ready beside it; otherwise nothing is known.
    """
    for name, outcome in generated.deployed.outcomes.items():
        with each(f"cluster {name}"):
            expect(
                bool(outcome),
                where=f"cluster {generated.namespace}/{name}",
                promised="ready with generated certificates",
                seen=outcome.seen,
                look_at=outcome.look_at,
            )


def _both(generated: Generated) -> tuple[Inventory, Inventory]:
    """What is stored of either cluster, that with a replica and that of one instance."""
    return generated.stored.one, generated.stored.two


def _places_of_the_root(inventory: Inventory) -> list[tuple[str, str]]:
    names = inventory.names
    instances = [name for name in inventory.secrets if name.endswith("-certs")]
    return [
        (names.ca_secret, "root.crt"),
        (names.pgbackrest_secret, "pgbackrest.ca-roots"),
        (names.pgbouncer_secret, _MAY_HAVE_MORE),
        *((name, "patroni.ca-roots") for name in instances),
    ]


def _can_be_read(secret: StoredSecret, key: str) -> bool:
    return key in (secret.private_keys if key.endswith(".key") else secret.certificates)


def _kind(key: str) -> str:
    return "private key" if key.endswith(".key") else "certificate"


def _content(secret: StoredSecret | None, key: str) -> str:
    if secret is None:
        return "404 NotFound"
    if key in secret.keys:
        return f"no {_kind(key)} in it: {secret.unreadable.get(key, 'another key')}"
    return f"keys {', '.join(secret.keys)}"


def _serials(certificates: Certificates) -> str:
    serials = ", ".join(f"{each.serial_number:x}" for each in certificates)
    return f"serial {serials}" if serials else "no certificate"


def _listed(fingerprints: tuple[str, ...] | None) -> str:
    return "absent" if fingerprints is None else ", ".join(fingerprints)
