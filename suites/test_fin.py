"""FIN: what stays after a PG cluster is deleted, and what goes."""

from __future__ import annotations

from dataclasses import replace

from fixtures.observing.endpoints import Handshakes
from fixtures.pgcluster.secretstates import SecretState, required_state, touched
from fixtures.probes import describe_answer, handshake_done
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.custom import Custom
from fixtures.scenarios.deletion import CUSTOM, ERASED, Claim, Claims, Deletion
from suites.breach import EachElement, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import NothingKnown


@requirement("FIN-1a")
def test_the_root_is_kept(deletion: Deletion, each: EachElement) -> None:
    """Without a finalizer the root's Secret is there after the deletion, with uid and data.

    Read by name at the end of the absence window, which begins when the last Pod has gone: what a
    cluster owns is collected then. Meanwhile another cluster, which must be ready, has it as its
    custom root.
    """
    _require_gone(deletion, "kept")
    name = "kept-cluster-ca-cert"
    before, after = deletion.before.generated["kept"], deletion.after.generated["kept"]
    with each(f"Secret {name}"):
        _expect_kept(deletion, required_state(before, name), after[name])
    with each("while another cluster has it as its root"):
        _require_ready(deletion, "borrower", "ROOTCA-6a")


@requirement("FIN-1b")
def test_the_other_tls_secrets_are_kept(deletion: Deletion, each: EachElement) -> None:
    """Without a finalizer so is every other TLS Secret that the operator made.

    External, replication, PgBouncer's, pgBackRest's and the instances', each of which must have
    been there before the deletion; read by name when the root's Secret is.
    """
    _require_gone(deletion, "kept")
    _expect_all_kept(deletion, each, "kept", but="kept-cluster-ca-cert")


@requirement("FIN-1a", since="2.5")
def test_the_root_is_kept_beside_custom_leaves(custom: Custom, each: EachElement) -> None:
    """So is the root that the operator made for a cluster with custom leaves, where it made one.

    Read by name at the end of the absence window, which begins when the last Pod has gone.
    """
    root = custom.deployed.given.names.ca_secret
    with each(f"Secret {root}"):
        if (before := custom.deleted.before[root]) is not None:
            _expect_kept(custom, before, custom.deleted.after[root])


@requirement("FIN-1b", since="2.5")
def test_the_other_tls_secrets_are_kept_beside_custom_leaves(
    custom: Custom, each: EachElement
) -> None:
    """So is every other one that the operator made for a cluster with custom leaves.

    PgBouncer's, pgBackRest's and the instances', each of which must have been there before; read
    by name when the root's Secret is. What custom ones stand for need not be there.
    """
    names, deleted = custom.deployed.given.names, custom.deleted
    for name in deleted.before:
        if name not in (names.ca_secret, names.server_secret, names.replication_secret):
            with each(f"Secret {name}"):
                _expect_kept(custom, required_state(deleted.before, name), deleted.after[name])


@requirement("FIN-2a")
def test_delete_ssl_deletes_the_generated_secrets(deletion: Deletion, each: EachElement) -> None:
    """With percona.com/delete-ssl every TLS Secret that the operator made is gone, the root too.

    Looked at in a cluster with generated certificates alone, and in clusters with custom leaves, a
    custom root, or both, of which the operator makes the other Secrets. None of those that were
    there before is there at the end of the absence window; a selector by label would miss the
    root. One that was deleted and then made again is a breach of FIN-4 alone.
    """
    for cluster in _erased(deletion):
        with each(f"cluster {cluster}, deleted"):
            _require_deleted_as_it_ran(deletion, cluster)
            for name in _made_by_operator(deletion, cluster):
                with each(f"Secret {name}"):
                    _expect_deleted(deletion, cluster, name)


@requirement("FIN-2c")
def test_delete_ssl_keeps_users_and_claims(deletion: Deletion, each: EachElement) -> None:
    """With delete-ssl alone the user's Secret and every claim stay, with their uids.

    They belong to percona.com/delete-pvc. Looked at in the same clusters as FIN-2a. A claim that
    is being deleted does not stay, though something may hold it still.
    """
    for cluster in _erased(deletion):
        with each(f"cluster {cluster}, deleted"):
            _require_deleted_as_it_ran(deletion, cluster)
            _expect_users_kept(deletion, each, cluster)
            _expect_claims_kept(deletion, each, cluster)


@requirement("FIN-2d")
def test_delete_ssl_leaves_custom_secrets_alone(deletion: Deletion, each: EachElement) -> None:
    """delete-ssl touches none of the Secrets that the user gave: external, internal, root.

    Given all together, the leaves alone, and the root alone. uid, resourceVersion, type, data,
    labels, owners and managed fields before and after.
    """
    for cluster in CUSTOM:
        if cluster in deletion.before.clusters:
            with each(f"cluster {cluster}, deleted"):
                _require_deleted_as_it_ran(deletion, cluster)
    for name in deletion.before.own:
        with each(f"Secret {name}"):
            words = touched(required_state(deletion.before.own, name), deletion.after.own[name])
            _expect_untouched(deletion, name, words)


@requirement("FIN-2e")
def test_delete_ssl_leaves_the_neighbour_alone(
    deletion: Deletion, each: EachElement, evidence: CheckEvidence
) -> None:
    """delete-ssl touches no Secret of another cluster in the namespace.

    The neighbour's are compared as FIN-2d's are, after a proven reconcile of its own; handshakes
    with it are kept as evidence. Of the one Secret that the proof itself writes to, resourceVersion
    and managed fields tell nothing.
    """
    _require_gone(deletion, "erased")
    _keep_handshakes(deletion.after.neighbour, evidence)
    before = {**deletion.before.generated["neighbour"], **deletion.before.users["neighbour"]}
    after = {**deletion.after.generated["neighbour"], **deletion.after.users["neighbour"]}
    for name in before:
        with each(f"Secret {name}"):
            differs = _differs if name == deletion.before.witness else touched
            words = differs(required_state(before, name), after[name])
            _expect_untouched(deletion, name, words)


@requirement("FIN-3")
def test_the_cluster_goes_with_delete_ssl(deletion: Deletion, each: EachElement) -> None:
    """With percona.com/delete-ssl the CR itself goes away within the deadline `gone`.

    One that stays in deletion, its finalizer never taken off, breaks it.
    """
    for name in _erased(deletion):
        with each(f"cluster {name}"):
            _expect_gone(deletion, name)


@requirement("FIN-4")
def test_what_was_deleted_stays_away(
    deletion: Deletion, each: EachElement, evidence: CheckEvidence
) -> None:
    """What delete-ssl deleted does not come back.

    An operator that is looking at the cluster while its Secrets are deleted may make them again, so
    several clusters are deleted while reconciles of each are forced many times a second; in which
    of them it happened is in the evidence. Followed from the deletion to the end of the absence
    window, which holds a proven reconcile of the neighbour by the same operator. A Secret of the
    same name with another uid breaks it, also one that came and went; where the watch had gaps,
    such a one may have gone unseen.
    """
    clusters, after = _erased(deletion), deletion.after
    evidence.data(
        "deletions",
        {
            name: {
                "reconciles-forced": deletion.deleted.forced.get(name, 0),
                "came-back": after.came_back[name],
            }
            for name in clusters
        },
    )
    for cluster in clusters:
        with each(f"cluster {cluster}, deleted"):
            _require_deleted_as_it_ran(deletion, cluster)
            for name in _deleted_secrets(deletion, cluster):
                with each(f"Secret {name}"):
                    _expect_away(deletion, cluster, name)
    with each("reconciles forced meanwhile"):
        if not any(deletion.deleted.forced.values()):
            raise NothingKnown("no annotation could be written while the clusters were deleted")
    with each("the watch of Secrets"):
        if after.gaps:
            raise NothingKnown(
                f"the watch of Secrets had gaps ({after.gaps}): one may have come and gone unseen"
            )


@requirement("FIN-7a")
def test_delete_pvc_alone_keeps_tls_secrets(deletion: Deletion, each: EachElement) -> None:
    """With percona.com/delete-pvc alone every TLS Secret stays.

    As a control the cluster's claims and its user's Secret must have been there, and be gone, which
    FIN-8b promises; one that was made again under its name is another.
    """
    _require_gone(deletion, "claims")
    _expect_all_kept(deletion, each, "claims")
    with each("the control, FIN-8b"):
        if still := _left_by_delete_pvc(deletion):
            raise Blocked(f"FIN-8b: delete-pvc did not do its own part: {', '.join(still)}")


@requirement("FIN-8a")
def test_the_cluster_goes_without_delete_ssl(deletion: Deletion, each: EachElement) -> None:
    """The CR goes away without any finalizer, and with percona.com/delete-pvc alone.

    Within the deadline `gone`. One that stays in deletion breaks it.
    """
    for name in ("kept", "claims"):
        with each(f"cluster {name}"):
            _expect_gone(deletion, name)


@requirement("FIN-8b")
def test_delete_pvc_takes_claims_and_users(deletion: Deletion, each: EachElement) -> None:
    """With percona.com/delete-pvc the cluster's claims and its users' Secrets go.

    Looked at by name at the end of the absence window, when the last Pod has gone, too. One that
    is the same as before breaks it; one that is being deleted is on its way.
    """
    _require_gone(deletion, "claims")
    still = _left_by_delete_pvc(deletion)
    for name in (*_claims(deletion, "claims"), *deletion.before.users["claims"]):
        with each(name):
            expect(
                name not in still,
                where=f"{deletion.namespace}/{name}",
                promised="gone with its cluster",
                seen="it is there as before",
                look_at="the operator's log",
            )


def _left_by_delete_pvc(deletion: Deletion) -> list[str]:
    """Return the claims and users' Secrets that delete-pvc should have taken and has not."""
    users, claims = deletion.before.users["claims"], _claims(deletion, "claims")
    now, bound = deletion.after.users["claims"], deletion.after.claims["claims"]
    still = [name for name, claim in claims.items() if bound.get(name) == Claim(claim.uid)]
    return still + [name for name in users if _is_there(required_state(users, name), now[name])]


def _erased(deletion: Deletion) -> tuple[str, ...]:
    """Return the clusters that were deleted with delete-ssl."""
    return tuple(name for name in ERASED if name in deletion.before.clusters)


def _require_deleted_as_it_ran(deletion: Deletion, cluster: str) -> None:
    """Raise Blocked or NothingKnown where the deletion of a cluster says nothing."""
    if cluster in CUSTOM:
        _require_ready(deletion, cluster, "CUSTOM-1, ROOTCA-1")
    _require_gone(deletion, cluster)


def _made_by_operator(deletion: Deletion, cluster: str) -> tuple[str, ...]:
    """Return the TLS Secrets that the operator made; not those that a custom one stands for."""
    before = deletion.before.generated[cluster]
    if cluster not in CUSTOM:
        return tuple(before)
    made = tuple(name for name, state in before.items() if state is not None)
    if not made:
        raise NothingKnown(f"the operator had made no TLS Secret for cluster {cluster}")
    return made


def _deleted_secrets(deletion: Deletion, cluster: str) -> tuple[str, ...]:
    """Return the Secrets that delete-ssl deleted; raise Blocked where it deleted none."""
    after = deletion.after.generated[cluster]
    before = deletion.before.generated[cluster].items()
    known = {name: state for name, state in before if state is not None}
    deleted = tuple(name for name, state in known.items() if not _is_there(state, after[name]))
    if known and not deleted:
        raise Blocked(f"FIN-2a: nothing of {cluster} was deleted, so nothing could come back")
    return deleted


def _expect_deleted(deletion: Deletion, cluster: str, name: str) -> None:
    state = required_state(deletion.before.generated[cluster], name)
    expect(
        not _is_there(state, deletion.after.generated[cluster][name]),
        where=f"Secret {deletion.namespace}/{name}",
        promised="404 NotFound after the deletion with percona.com/delete-ssl",
        seen=f"it exists, uid {state.uid}",
        look_at=f"its labels: {', '.join(f'{k}={v}' for k, v in state.labels) or 'none'}",
    )


def _expect_away(deletion: Deletion, cluster: str, name: str) -> None:
    came = deletion.after.came_back
    times = sum(bool(names) for names in came.values())
    expect(
        name not in came[cluster],
        where=f"Secret {deletion.namespace}/{name}",
        promised="deleted, and not made again",
        seen=(
            "it was deleted, and then there again with another uid; so in"
            f" {times} of {len(came)} deletions"
        ),
        look_at="its managedFields and creationTimestamp; the operator's log",
    )


def _expect_users_kept(deletion: Deletion, each: EachElement, cluster: str) -> None:
    users, after = deletion.before.users[cluster], deletion.after.users[cluster]
    for name in users:
        with each(f"Secret {name}"):
            _expect_kept(deletion, required_state(users, name), after[name])


def _expect_claims_kept(deletion: Deletion, each: EachElement, cluster: str) -> None:
    after = deletion.after.claims[cluster]
    for name, claim in _claims(deletion, cluster).items():
        with each(f"PersistentVolumeClaim {name}"):
            found = after.get(name)
            expect(
                found == Claim(claim.uid),
                where=f"PersistentVolumeClaim {deletion.namespace}/{name}",
                promised=f"kept, uid {claim.uid}",
                seen=_describe(found),
            )


def _keep_handshakes(served: Handshakes | Exception, evidence: CheckEvidence) -> None:
    if isinstance(served, Exception):
        evidence.text("answers.txt", f"not to be had: {served}")
        return
    evidence.data("handshakes", {m.pod: handshake_done(a) for m, a in served.items()})
    evidence.text("answers.txt", "\n".join(f"{m}: {describe_answer(a)}" for m, a in served.items()))


def _require_gone(deletion: Deletion, cluster: str) -> None:
    outcome = deletion.deleted.gone[cluster]
    if outcome:
        ended = deletion.after.ended[cluster]
        if not ended:
            raise NothingKnown(f"Pods of cluster {cluster} outlived it: {ended.seen}")
        return
    requirement = "FIN-3" if cluster in ERASED else "FIN-8a"
    raise Blocked(f"{requirement}: cluster {cluster} did not go: {outcome.seen}")


def _require_ready(deletion: Deletion, cluster: str, requirement: str) -> None:
    """Raise Blocked where a cluster never ran with what it was given."""
    outcome = deletion.before.ready[cluster]
    if not outcome:
        raise Blocked(f"{requirement}: cluster {cluster} did not become ready: {outcome.seen}")


def _claims(deletion: Deletion, cluster: str) -> Claims:
    """Those that were there before, without which nothing can be said of them."""
    claims = deletion.before.claims[cluster]
    if not claims:
        raise NothingKnown(f"cluster {cluster} had no PersistentVolumeClaim before the deletion")
    return claims


def _expect_all_kept(deletion: Deletion, each: EachElement, cluster: str, but: str = "") -> None:
    before, after = deletion.before.generated[cluster], deletion.after.generated[cluster]
    for name in before:
        if name == but:
            continue
        with each(f"Secret {name}"):
            _expect_kept(deletion, required_state(before, name), after[name])


def _expect_kept(
    scenario: Deletion | Custom, before: SecretState, after: SecretState | None
) -> None:
    same = after is not None and (after.uid, after.data) == (before.uid, before.data)
    expect(
        same,
        where=f"Secret {scenario.namespace}/{before.name}",
        promised=f"kept after the deletion, uid {before.uid} and data as before",
        seen="404 NotFound" if after is None else f"uid {after.uid}, or other data",
        look_at=f"its owners before: {', '.join(before.owners) or 'none'}",
    )


def _expect_gone(deletion: Deletion, name: str) -> None:
    outcome = deletion.deleted.gone[name]
    expect(
        bool(outcome),
        where=f"cluster {deletion.namespace}/{name}",
        promised="gone",
        seen=outcome.seen,
        look_at=outcome.look_at,
    )


def _expect_untouched(deletion: Deletion, name: str, words: tuple[str, ...]) -> None:
    expect(
        not words,
        where=f"Secret {deletion.namespace}/{name}",
        promised="untouched by the deletion",
        seen="; ".join(words),
    )


def _differs(before: SecretState, after: SecretState | None) -> tuple[str, ...]:
    """`touched`, where we wrote to the Secret ourselves: took a label off and saw it return."""
    if after is None:
        return touched(before, after)
    ours = replace(
        before, resource_version=after.resource_version, managed_fields=after.managed_fields
    )
    return touched(ours, after)


def _is_there(before: SecretState, after: SecretState | None) -> bool:
    """Return whether that very Secret still exists; another of its name is not it."""
    return after is not None and after.uid == before.uid


def _describe(claim: Claim | None) -> str:
    if claim is None:
        return "404 NotFound"
    return f"uid {claim.uid}" + (", being deleted" if claim.being_deleted else "")
