"""Judgement of replication that several chapters share."""

from __future__ import annotations

from fixtures.certificates.names import REPLICATION_USER
from fixtures.observing.streaming import Streaming
from fixtures.run.outcomes import Blocked
from suites.breach import EachElement, expect


def expect_streaming(seen: Streaming) -> None:
    """Raise Breach unless a walsender streams for each replica."""
    expect(
        seen.streaming >= seen.replicas,
        where=f"{seen.primary}, pg_stat_replication",
        promised=f"{seen.replicas} streaming",
        seen=str(seen),
        look_at="the replica's log; primary_conninfo and the primary's rules",
    )


def judge_tls_of_walsenders(each: EachElement, seen: Streaming) -> None:
    """Each replica streams, and each walsender that there is does so over TLS."""
    for row in seen.walsenders:
        with each(f"walsender {row.pid} to {row.address}"):
            expect(
                row.ssl,
                where=f"{seen.primary}, walsender to {row.address}",
                promised="ssl is true in pg_stat_ssl",
                seen="ssl is false",
                look_at="sslmode in primary_conninfo of the replica; pg_hba_file_rules",
            )
    with each(f"one walsender for each replica, {seen.primary}"):
        expect_streaming(seen)


def judge_names_of_walsenders(each: EachElement, seen: Streaming) -> None:
    """Each walsender was authenticated by a certificate of one name, the replication user's.

    Raises Blocked where there is none.
    """
    if not seen.walsenders:
        raise Blocked("REPL-1: no replica streams, so no certificate is shown")
    for row in seen.walsenders:
        with each(f"walsender {row.pid} to {row.address}"):
            expect(
                _common_names(row.client_dn) == [REPLICATION_USER],
                where=f"{seen.primary}, walsender to {row.address}",
                promised=f"client_dn /CN={REPLICATION_USER}",
                seen=repr(row.client_dn),
            )


def _common_names(name: str | None) -> list[str]:
    """Common names of a subject in OpenSSL's one-line form, as pg_stat_ssl shows it."""
    parts = (name or "").split("/")
    return [part.removeprefix("CN=") for part in parts if part.startswith("CN=")]
