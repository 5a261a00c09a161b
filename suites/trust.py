"""Judgement of the CAs that an instance trusts: no other than what its cluster was given or has."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from fixtures.certificates import fingerprint, verify_chain
from fixtures.observing.trusted_cas import TrustedCas
from suites.breach import Breach
from suites.wire import NothingKnown


def judge_trust(
    where: str,
    trusted: TrustedCas,
    roots: Sequence[x509.Certificate],
    *,
    of: object,
) -> None:
    """Raise Breach where an instance trusts a CA that is not below `roots`, which are those `of`.

    Both `ssl_ca_file` and the names in the request for a certificate count; dates do not.
    """
    own = [
        one
        for one in trusted.certificates
        if one in roots or verify_chain(one, roots, dates=False).ok
    ]
    foreign = [
        f"{one.subject.rfc4514_string()}, SHA-256 {fingerprint(one)}"
        for one in trusted.certificates
        if one not in own
    ]
    known = {one.subject for one in (*roots, *own)}
    named = [one.rfc4514_string() for one in trusted.named or () if one not in known]
    promised = f"no CA beside that of {of}, SHA-256 {fingerprint(roots[0])}"
    places = ((f"ssl_ca_file {trusted.file}", foreign), ("the CAs in its request", named))
    breaches = [
        Breach(where=f"{where}, {place}", promised=promised, seen="; ".join(more))
        for place, more in places
        if more
    ]
    if breaches:
        raise Breach.joined(breaches)
    if trusted.file and not trusted.certificates:
        raise NothingKnown(f"{where}: no certificate can be read in {trusted.file}")
