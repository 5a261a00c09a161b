"""UPDATE: new leaves under the same root."""

from __future__ import annotations

from fixtures.certificates import fingerprint
from fixtures.scenarios.custom import EXTERNAL, Custom
from suites.breach import EachElement, expect
from suites.requirement import requirement
from suites.wire import served_leaf


@requirement("UPDATE-1a")
def test_new_content_is_served(custom: Custom, each: EachElement) -> None:
    """New content in the external Secret is served by every instance.

    Fresh handshakes by Pod address, within the deadline `served-after-update`; the Secret's
    content alone proves nothing. An instance that goes on with the old leaf breaks it.
    """
    new = custom.updated.leaf
    for member, answer in custom.updated.served.items():
        with each(str(member)):
            leaf = served_leaf(member, answer)
            expect(
                leaf == new,
                where=f"{member}, from pg-client",
                promised=f"the new leaf of Secret {EXTERNAL}, sha256 {fingerprint(new)[:16]}",
                seen=f"sha256 {fingerprint(leaf)[:16]}, valid from {leaf.not_valid_before_utc}",
                look_at="the files under /pgconf/tls; pg_conf_load_time()",
            )


@requirement("UPDATE-1d")
def test_new_content_restarts_nothing(custom: Custom) -> None:
    """Serving it restarts no Pod, no container and no postmaster.

    Pod uids, restart counts, container starts and pg_postmaster_start_time() of instances,
    PgBouncer and repository host before the update and after the new leaf is served and the
    operator has provably looked at the cluster again.
    """
    before, after = custom.updated.markers_before, custom.updated.markers_after
    words = after.unlike(before)
    expect(
        not words,
        where=f"cluster {custom.namespace}/given",
        promised="the same Pods, containers and postmasters as before",
        seen="; ".join(words),
        look_at="events of the namespace",
    )
