"""Verdicts of the checks of FIN on made-up observations before and after a deletion."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.certificates import RootKeys
from fixtures.kube.views import Seen
from fixtures.pgcluster.cluster import Outcome
from fixtures.pgcluster.names import ClusterNames
from fixtures.pgcluster.secretstates import SecretState, SecretStates
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.deletion import DEPENDENT, ERASED, Claim, came_back, items_of
from suites import test_fin as checks
from suites.breach import Breach
from suites.wire import NothingKnown
from tests.suites.observed import RecordedEvidence, judged, staged

OWN = ("own-tls", "own-replication", "own-root")
CLUSTERS = ("kept", *ERASED, "claims", "neighbour", "borrower")
LEAF, ROOT = "erased-cluster-cert", "erased-cluster-ca-cert"
WITNESS = "neighbour-pgbouncer"


def _secret(name: str, uid: str = "1") -> SecretState:
    return SecretState(
        name=name,
        uid=uid,
        resource_version="1",
        type="Opaque",
        data=(("tls.crt", "digest"),),
        labels=(),
        owners=(),
        managed_fields="digest",
    )


def _secrets(*names: str) -> dict[str, SecretState | None]:
    return {name: _secret(name) for name in names}


def _all_secrets() -> dict[str, dict[str, SecretState | None]]:
    parts = ("cluster-ca-cert", "cluster-cert", "pgbouncer")
    return {name: _secrets(*(f"{name}-{part}" for part in parts)) for name in CLUSTERS}


@dataclass
class Look:
    """The observation of a stage; to be changed before it is read."""

    generated: dict[str, dict[str, SecretState | None]] = field(default_factory=_all_secrets)
    users: dict[str, dict[str, SecretState | None]] = field(
        default_factory=lambda: {name: _secrets(f"{name}-pguser-{name}") for name in CLUSTERS}
    )
    claims: dict[str, dict[str, Claim]] = field(
        default_factory=lambda: {name: {f"{name}-data": Claim("1")} for name in CLUSTERS}
    )
    own: SecretStates = field(default_factory=lambda: _secrets(*OWN))
    clusters: dict[str, None] = field(default_factory=lambda: dict.fromkeys(CLUSTERS))
    came_back: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(ERASED, ()))
    gaps: int = 0
    ready: dict[str, Outcome] = field(
        default_factory=lambda: dict.fromkeys(DEPENDENT, Outcome(True, "ready"))
    )
    ended: dict[str, Outcome] = field(
        default_factory=lambda: dict.fromkeys(CLUSTERS, Outcome(True, "without Pods"))
    )
    witness: str = WITNESS
    neighbour: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Observed:
    """The scenario as its checks read it; after a deletion that did what it should."""

    namespace: str = "ns"
    before: Look = field(default_factory=Look)
    after: Look = field(default_factory=Look)
    deleted: Any = None

    def __post_init__(self) -> None:
        self.deleted = SimpleNamespace(
            gone=dict.fromkeys(CLUSTERS, Outcome(True, "gone")), forced=dict.fromkeys(ERASED, 7)
        )
        for name in ERASED:
            self.after.generated[name] = dict.fromkeys(self.before.generated[name])
        self.after.users["claims"] = dict.fromkeys(self.before.users["claims"])
        self.after.claims["claims"] = {}


@pytest.fixture
def seen() -> Any:
    return Observed()


@pytest.mark.parametrize(
    ("check", "more"),
    [
        (checks.test_the_root_is_kept, ()),
        (checks.test_the_other_tls_secrets_are_kept, ()),
        (checks.test_delete_ssl_deletes_the_generated_secrets, ()),
        (checks.test_delete_ssl_keeps_users_and_claims, ()),
        (checks.test_delete_ssl_leaves_custom_secrets_alone, ()),
        (checks.test_delete_ssl_leaves_the_neighbour_alone, (RecordedEvidence(),)),
        (checks.test_the_cluster_goes_with_delete_ssl, ()),
        (checks.test_what_was_deleted_stays_away, (RecordedEvidence(),)),
        (checks.test_delete_pvc_alone_keeps_tls_secrets, ()),
    ],
)
def test_a_deletion_that_did_what_it_should_keeps_every_promise(
    seen: Any, check: Any, more: tuple[Any, ...]
) -> None:
    assert {one.outcome for one in judged(check, seen, *more).elements} == {"passed"}


def test_a_secret_made_again_came_back_and_was_not_left(seen: Any) -> None:
    seen.after.generated["erased"][LEAF] = _secret(LEAF, uid="2")
    seen.after.came_back["erased"] = (LEAF,)
    judged(checks.test_delete_ssl_deletes_the_generated_secrets, seen)
    with pytest.raises(Breach, match=f"{LEAF}: promised deleted"):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())


def test_one_that_came_and_went_came_back(seen: Any) -> None:
    seen.after.came_back["erased"] = (LEAF,)
    with pytest.raises(Breach, match=LEAF):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())


def test_a_watch_with_gaps_leaves_4_unknown_unless_one_is_seen(seen: Any) -> None:
    seen.after.gaps = 1
    with pytest.raises(NothingKnown, match="gaps"):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())
    seen.after.came_back["erased"] = (LEAF,)
    with pytest.raises(Breach, match=LEAF):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())


@pytest.mark.parametrize(
    ("cluster", "blocked", "by"),
    [
        ("borrower", checks.test_the_root_is_kept, "ROOTCA-6a"),
        ("own", checks.test_delete_ssl_leaves_custom_secrets_alone, "CUSTOM-1, ROOTCA-1"),
    ],
)
def test_a_cluster_that_never_ran_blocks_what_stands_on_it_alone(
    seen: Any, cluster: str, blocked: Callable[..., None], by: str
) -> None:
    seen.before.ready[cluster] = Outcome(False, f"cluster {cluster} ready", "no instance")
    with pytest.raises(Blocked, match=f"{by}: cluster {cluster} did not become ready"):
        judged(blocked, seen)
    judged(checks.test_the_other_tls_secrets_are_kept, seen)
    judged(checks.test_the_cluster_goes_with_delete_ssl, seen)


def test_a_root_that_went_is_a_breach_though_nobody_had_it(seen: Any) -> None:
    seen.before.ready["borrower"] = Outcome(False, "cluster borrower ready", "no instance")
    seen.after.generated["kept"]["kept-cluster-ca-cert"] = None
    with pytest.raises(Breach, match="seen 404 NotFound"):
        judged(checks.test_the_root_is_kept, seen)


def test_all_of_them_made_again_came_back(seen: Any) -> None:
    names = tuple(seen.before.generated["erased"])
    seen.after.generated["erased"] = {name: _secret(name, uid="2") for name in names}
    seen.after.came_back["erased"] = names
    with pytest.raises(Breach):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())


def test_where_nothing_was_deleted_nothing_can_come_back(seen: Any) -> None:
    seen.after.generated["erased"] = dict(seen.before.generated["erased"])
    with pytest.raises(Breach, match=r"erased-cluster-ca-cert: .* seen it exists, uid 1"):
        judged(checks.test_delete_ssl_deletes_the_generated_secrets, seen)
    with pytest.raises(Blocked, match="FIN-2a"):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())


@pytest.mark.parametrize("cluster", ERASED)
def test_every_kind_of_cluster_loses_what_the_operator_made_and_nothing_else(
    seen: Any, cluster: str
) -> None:
    made, user = f"{cluster}-pgbouncer", f"{cluster}-pguser-{cluster}"
    seen.after.generated[cluster][made] = _secret(made)
    with pytest.raises(Breach, match=f"{made}: .* seen it exists"):
        judged(checks.test_delete_ssl_deletes_the_generated_secrets, seen)
    seen.after.users[cluster] = {user: None}
    with pytest.raises(Breach, match=f"{user}: .* seen 404"):
        judged(checks.test_delete_ssl_keeps_users_and_claims, seen)


def test_what_a_custom_secret_stands_for_was_never_made(seen: Any) -> None:
    seen.before.generated["own"]["own-cluster-cert"] = None
    judged(checks.test_delete_ssl_deletes_the_generated_secrets, seen)


def test_the_evidence_of_4_counts_the_deletions_in_which_it_happened(seen: Any) -> None:
    evidence = RecordedEvidence()
    seen.after.came_back["pair"] = ("pair-pgbouncer",)
    with pytest.raises(Breach, match="in 1 of 4 deletions"):
        judged(checks.test_what_was_deleted_stays_away, seen, evidence)
    assert evidence.files["deletions"]["pair"]["came-back"] == ("pair-pgbouncer",)


def test_a_deletion_in_which_no_reconcile_was_forced_leaves_4_unknown(seen: Any) -> None:
    seen.deleted.forced = {}
    with pytest.raises(NothingKnown, match="no annotation could be written"):
        judged(checks.test_what_was_deleted_stays_away, seen, RecordedEvidence())


def test_a_secret_that_was_never_there_says_nothing(seen: Any) -> None:
    seen.before.generated["erased"][ROOT] = None
    with pytest.raises(LookupError, match=f"{ROOT} was not there"):
        judged(checks.test_delete_ssl_deletes_the_generated_secrets, seen)
    seen.before.generated["kept"]["kept-cluster-cert"] = None
    with pytest.raises(LookupError, match="kept-cluster-cert was not there"):
        judged(checks.test_the_other_tls_secrets_are_kept, seen)


def test_claims_that_were_never_there_say_nothing(seen: Any) -> None:
    seen.before.claims["erased"] = seen.before.claims["claims"] = {}
    for check in (
        checks.test_delete_ssl_keeps_users_and_claims,
        checks.test_delete_pvc_alone_keeps_tls_secrets,
    ):
        with pytest.raises(NothingKnown, match="had no PersistentVolumeClaim before"):
            judged(check, seen)


def test_a_users_secret_that_was_never_there_is_no_control(seen: Any) -> None:
    seen.before.users["claims"] = dict.fromkeys(seen.before.users["claims"])
    with pytest.raises(LookupError, match="claims-pguser-claims was not there"):
        judged(checks.test_delete_pvc_alone_keeps_tls_secrets, seen)


def test_a_claim_that_is_being_deleted_is_neither_kept_nor_left(seen: Any) -> None:
    being_deleted = Claim("1", being_deleted=True)
    seen.after.claims["claims"] = {"claims-data": being_deleted}
    judged(checks.test_delete_pvc_alone_keeps_tls_secrets, seen)
    seen.after.claims["erased"] = {"erased-data": being_deleted}
    with pytest.raises(Breach, match="uid 1, being deleted"):
        judged(checks.test_delete_ssl_keeps_users_and_claims, seen)


def test_a_users_secret_that_was_made_again_was_taken(seen: Any) -> None:
    """As operators of 2.6 to 3.0 may do; that is another matter."""
    name = "claims-pguser-claims"
    seen.after.users["claims"] = {name: _secret(name, uid="2")}
    judged(checks.test_delete_pvc_alone_keeps_tls_secrets, seen)
    seen.after.users["claims"] = {name: _secret(name)}
    with pytest.raises(Blocked, match=r"FIN-8b: .*claims-pguser-claims"):
        judged(checks.test_delete_pvc_alone_keeps_tls_secrets, seen)
    with pytest.raises(Breach, match="claims-pguser-claims: promised gone with its cluster"):
        judged(checks.test_delete_pvc_takes_claims_and_users, seen)


def test_pods_that_outlive_their_cluster_leave_that_one_unknown_alone(seen: Any) -> None:
    seen.after.ended["claims"] = Outcome(False, "cluster claims without Pods", "Pods a are there")
    with pytest.raises(NothingKnown, match="outlived it: Pods a are there"):
        judged(checks.test_delete_pvc_alone_keeps_tls_secrets, seen)
    judged(checks.test_the_other_tls_secrets_are_kept, seen)


def test_handshakes_with_the_neighbour_are_evidence_alone(seen: Any) -> None:
    seen.after.neighbour = LookupError("pg-client did not start")
    judged(checks.test_delete_ssl_leaves_the_neighbour_alone, seen, RecordedEvidence())


def test_a_claim_that_stays_is_no_control(seen: Any) -> None:
    seen.after.claims["claims"] = seen.before.claims["claims"]
    with pytest.raises(Blocked, match="claims-data"):
        judged(checks.test_delete_pvc_alone_keeps_tls_secrets, seen)


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: replace(secret, resource_version="2"),
        lambda secret: replace(secret, managed_fields="other"),
        lambda secret: replace(secret, type="other"),
    ],
)
def test_every_write_to_a_neighbours_secret_is_a_breach(
    seen: Any, change: Callable[[SecretState], SecretState]
) -> None:
    name = "neighbour-cluster-cert"
    seen.after.generated["neighbour"][name] = change(_secret(name))
    with pytest.raises(Breach, match=f"{name}: .* changed"):
        judged(checks.test_delete_ssl_leaves_the_neighbour_alone, seen, RecordedEvidence())


def test_of_the_secret_that_we_write_to_only_what_we_write_may_differ(seen: Any) -> None:
    ours = replace(_secret(WITNESS), resource_version="9", managed_fields="ours")
    seen.after.generated["neighbour"][WITNESS] = ours
    judged(checks.test_delete_ssl_leaves_the_neighbour_alone, seen, RecordedEvidence())
    for theirs in (replace(ours, type="other"), replace(ours, uid="2"), None):
        seen.after.generated["neighbour"][WITNESS] = theirs
        with pytest.raises(Breach, match=WITNESS):
            judged(checks.test_delete_ssl_leaves_the_neighbour_alone, seen, RecordedEvidence())


def _event(kind: str, name: str, uid: str) -> Seen:
    return Seen(time.monotonic(), kind, {"metadata": {"name": name, "uid": uid}})


def test_what_comes_back_is_told_by_another_uid_at_any_time() -> None:
    before: SecretStates = {**_secrets("a", "b", "c", "d"), "e": None}
    history = (
        _event("DELETED", "a", "1"),
        _event("ADDED", "a", "2"),
        _event("DELETED", "a", "2"),
        _event("MODIFIED", "b", "1"),
        _event("DELETED", "b", "1"),
        _event("ADDED", "stranger", "7"),
        _event("ADDED", "e", "8"),
    )
    now: SecretStates = {
        "a": None,
        "b": None,
        "c": _secret("c", uid="3"),
        "d": _secret("d"),
        "e": None,
    }
    assert came_back(before, history, now) == ("a", "c")


@pytest.mark.parametrize(
    ("keys", "items"),
    [
        (RootKeys.ROOT.value, {}),
        (("tls.crt", "tls.key", "ca.crt"), {"tls.crt": "root.crt", "tls.key": "root.key"}),
    ],
)
def test_anothers_root_is_read_by_the_keys_it_has(
    keys: tuple[str, ...], items: dict[str, str]
) -> None:
    assert items_of(dict.fromkeys(keys, b"")) == items


def _beside_custom_leaves(after: Mapping[str, SecretState | None], *absent: str) -> Any:
    """Return the scenario of custom certificates, of whose cluster these Secrets are there now."""
    names = ClusterNames("ns", "given")
    made = (names.ca_secret, names.pgbouncer_secret, names.instance_secret("given-a"))
    before = {**_secrets(*made), **dict.fromkeys((names.server_secret, *absent))}
    return staged(
        deployed={"given": SimpleNamespace(names=names)},
        deleted={"before": before, "after": {**before, **after}},
    )


def test_what_was_made_beside_custom_leaves_is_to_stay() -> None:
    root, rest = (
        checks.test_the_root_is_kept_beside_custom_leaves,
        checks.test_the_other_tls_secrets_are_kept_beside_custom_leaves,
    )
    kept = _beside_custom_leaves({})
    assert [one.name for one in judged(root, kept).elements] == ["Secret given-cluster-ca-cert"]
    assert len(judged(rest, kept).elements) == 2
    with pytest.raises(Breach, match="ns/given-cluster-ca-cert: promised kept after the deletion"):
        judged(root, _beside_custom_leaves({"given-cluster-ca-cert": None}))
    with pytest.raises(Breach, match="ns/given-a-certs"):
        judged(rest, _beside_custom_leaves({"given-a-certs": _secret("given-a-certs", uid="2")}))


def test_a_secret_that_was_never_made_beside_custom_leaves_says_nothing() -> None:
    none = _beside_custom_leaves({}, "given-cluster-ca-cert", "given-pgbouncer")
    judged(checks.test_the_root_is_kept_beside_custom_leaves, none)
    with pytest.raises(LookupError, match="given-pgbouncer was not there"):
        judged(checks.test_the_other_tls_secrets_are_kept_beside_custom_leaves, none)
