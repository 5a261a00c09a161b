"""FIN: what stays after a PG cluster is deleted, and what goes."""

from __future__ import annotations

from collections.abc import Iterable

from fixtures.pgcluster.secretstates import SecretState, touched
from fixtures.probes import describe_answer, handshake_done
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.deletion import OWN, Deletion, States
from suites.breach import Each, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import NothingKnown


@requirement("FIN-1a")
def test_the_root_is_kept(deletion: Deletion) -> None:
    """Without a finalizer the root's Secret is there after the deletion, with uid and data.

    Read by name through the absence window; meanwhile another cluster has it as its custom root.
    """
    _gone(deletion, "kept")
    name = "kept-cluster-ca-cert"
    before, after = deletion.before.generated["kept"], deletion.after.generated["kept"]
    _expect_kept(deletion, before[name], after[name])


@requirement("FIN-1b")
def test_the_other_tls_secrets_are_kept(deletion: Deletion, each: Each) -> None:
    """Without a finalizer so is every other TLS Secret that the operator made.

    External, replication, PgBouncer's, pgBackRest's and the instances'; names as noted before the
    deletion.
    """
    _gone(deletion, "kept")
    _expect_all_kept(deletion, each, "kept", but="kept-cluster-ca-cert")


@requirement("FIN-2a")
def test_delete_ssl_deletes_the_generated_secrets(deletion: Deletion, each: Each) -> None:
    """With percona.com/delete-ssl every TLS Secret that the operator made is gone, the root too.

    404 for each name that was noted before; a selector by label would miss the root.
    """
    _gone(deletion, "erased")
    for name, state in deletion.after.generated["erased"].items():
        with each(f"Secret {name}"):
            expect(
                state is None,
                where=f"Secret {deletion.namespace}/{name}",
                promised="404 NotFound after the deletion with percona.com/delete-ssl",
                seen=f"it exists, uid {state.uid}" if state else "",
            )


@requirement("FIN-2c")
def test_delete_ssl_keeps_users_and_claims(deletion: Deletion, each: Each) -> None:
    """With delete-ssl alone the user's Secret and every claim stay, with their uids.

    They belong to percona.com/delete-pvc.
    """
    _gone(deletion, "erased")
    for name, state in deletion.before.users["erased"].items():
        with each(f"Secret {name}"):
            _expect_kept(deletion, state, deletion.after.users["erased"][name])
    after = deletion.after.claims["erased"]
    for claim, uid in deletion.before.claims["erased"].items():
        with each(f"PersistentVolumeClaim {claim}"):
            expect(
                after.get(claim) == uid,
                where=f"PersistentVolumeClaim {deletion.namespace}/{claim}",
                promised=f"kept, uid {uid}",
                seen=after.get(claim, "404 NotFound"),
            )


@requirement("FIN-2d")
def test_delete_ssl_leaves_custom_secrets_alone(deletion: Deletion, each: Each) -> None:
    """delete-ssl touches none of the Secrets that the user gave: external, internal, root.

    uid, resourceVersion, type, data, labels, owners and managed fields before and after.
    """
    _gone(deletion, "own")
    for name in OWN:
        with each(f"Secret {name}"):
            _expect_untouched(deletion, deletion.before.own[name], deletion.after.own[name])


@requirement("FIN-2e")
def test_delete_ssl_leaves_the_neighbour_alone(
    deletion: Deletion, each: Each, evidence: CheckEvidence
) -> None:
    """delete-ssl touches no Secret of another cluster in the namespace.

    The neighbour's are compared after a proven reconcile of its own; handshakes with it are kept
    as evidence.
    """
    _gone(deletion, "erased")
    served = deletion.after.neighbour
    evidence.data("handshakes", {m.pod: handshake_done(a) for m, a in served.items()})
    evidence.text("answers.txt", "\n".join(f"{m}: {describe_answer(a)}" for m, a in served.items()))
    before = {**deletion.before.generated["neighbour"], **deletion.before.users["neighbour"]}
    after = {**deletion.after.generated["neighbour"], **deletion.after.users["neighbour"]}
    for name, state in before.items():
        with each(f"Secret {name}"):
            _expect_same(deletion, state, after[name])


@requirement("FIN-3")
def test_the_cluster_goes_with_delete_ssl(deletion: Deletion, each: Each) -> None:
    """With percona.com/delete-ssl the CR itself goes away within the deadline `gone`.

    One that stays in deletion, its finalizer never taken off, breaks it.
    """
    for name in ("erased", "own"):
        with each(f"cluster {name}"):
            outcome = deletion.after.gone[name]
            expect(
                bool(outcome),
                where=f"cluster {deletion.namespace}/{name}",
                promised="gone",
                seen=outcome.seen,
                look_at=outcome.look_at,
            )


@requirement("FIN-4")
def test_what_was_deleted_stays_away(deletion: Deletion) -> None:
    """What delete-ssl deleted does not come back.

    Watched through the absence window, after a proven reconcile of the neighbour by the same
    operator. A Secret of a deleted name breaks it.
    """
    _gone(deletion, "erased")
    if all(deletion.after.generated["erased"].values()):
        raise Blocked("FIN-2a: nothing was deleted, so nothing could come back")
    expect(
        deletion.after.came_back is None,
        where=f"Secret {deletion.namespace}/{deletion.after.came_back}",
        promised="deleted, and not made again",
        seen="it was absent after the deletion, and then there again",
        look_at="its managedFields and creationTimestamp; the operator's log",
    )


@requirement("FIN-7a")
def test_delete_pvc_alone_keeps_tls_secrets(deletion: Deletion, each: Each) -> None:
    """With percona.com/delete-pvc alone every TLS Secret stays.

    As a control the cluster's claims and its user's Secret must be gone.
    """
    _gone(deletion, "claims")
    left = (*deletion.after.claims["claims"], *_present(deletion.after.users["claims"]))
    if left:
        raise NothingKnown(f"delete-pvc did not do its own part: {', '.join(left)} still there")
    _expect_all_kept(deletion, each, "claims")


def _gone(deletion: Deletion, cluster: str) -> None:
    outcome = deletion.after.gone[cluster]
    if outcome:
        return
    if cluster in ("erased", "own"):
        raise Blocked(f"FIN-3: cluster {cluster} did not go: {outcome.seen}")
    raise NothingKnown(f"cluster {cluster} did not go: {outcome.seen}")


def _present(states: States) -> Iterable[str]:
    return [name for name, state in states.items() if state is not None]


def _expect_all_kept(deletion: Deletion, each: Each, cluster: str, but: str = "") -> None:
    for name, state in deletion.before.generated[cluster].items():
        if name == but:
            continue
        with each(f"Secret {name}"):
            _expect_kept(deletion, state, deletion.after.generated[cluster][name])


def _expect_kept(deletion: Deletion, before: SecretState | None, after: SecretState | None) -> None:
    before = _noted(before)
    same = after is not None and (after.uid, after.data) == (before.uid, before.data)
    expect(
        same,
        where=f"Secret {deletion.namespace}/{before.name}",
        promised=f"kept after the deletion, uid {before.uid} and data as before",
        seen="404 NotFound" if after is None else f"uid {after.uid}, or other data",
        look_at=f"its owners before: {', '.join(before.owners) or 'none'}",
    )


def _expect_untouched(
    deletion: Deletion, before: SecretState | None, after: SecretState | None
) -> None:
    before = _noted(before)
    words = touched(before, after)
    expect(
        not words,
        where=f"Secret {deletion.namespace}/{before.name}",
        promised="untouched by the deletion",
        seen="; ".join(words),
    )


def _expect_same(deletion: Deletion, before: SecretState | None, after: SecretState | None) -> None:
    """Untouched, but for what our own proof of a reconcile wrote: a label taken off and back."""
    before = _noted(before)
    same = after is not None and (after.uid, after.data, after.labels, after.owners) == (
        before.uid,
        before.data,
        before.labels,
        before.owners,
    )
    expect(
        same,
        where=f"Secret {deletion.namespace}/{before.name}",
        promised=f"untouched by the neighbour's deletion, uid {before.uid}",
        seen="404 NotFound" if after is None else f"uid {after.uid}, or other data or labels",
    )


def _noted(state: SecretState | None) -> SecretState:
    if state is None:
        raise NothingKnown("the Secret was not there before the deletion")
    return state
