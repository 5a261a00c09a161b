"""Modes of volumes' files where the box has one user, and who that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embedded.node.pods.users import User, ownership_of
from embedded.node.volumes.ownership import Ownership, Rights
from embedded.runtime.users import Ids
from tests.embedded.node.cluster import Json, pod

ONE = Ids(ranges=((0, 1),))
ALL = Ids(ranges=((0, 1), (1, 1000)))
ME = User(uid=70, gid=71)


def owners(context: Json | None = None, *users: User, there: Ids = ONE, **spec: Any) -> Ownership:
    given: Any = {} if context is None else {"securityContext": context}
    return ownership_of(pod(**given, **spec), users or (ME,), there)


@pytest.mark.parametrize(
    ("mode", "root", "group", "others"),
    [
        (0o600, 0o600, 0o400, 0o000),
        (0o640, 0o600, 0o400, 0o000),
        (0o400, 0o400, 0o400, 0o000),
        (0o660, 0o600, 0o600, 0o000),
        (0o644, 0o644, 0o444, 0o444),
        (0o755, 0o755, 0o555, 0o555),
        (0o777, 0o777, 0o777, 0o777),
    ],
)
def test_the_only_user_has_the_rights_of_the_one_it_stands_for(
    mode: int, root: int, group: int, others: int
) -> None:
    """A server takes no key that its group may read: others' rights are shown where there are."""
    assert owners({}, User(uid=0, gid=0)).mode(mode) == root
    assert owners({"fsGroup": 5}).mode(mode) == group
    assert owners().mode(mode) == others


def test_of_several_users_the_mode_is_the_pods() -> None:
    for context in ({}, {"fsGroup": 5}):
        assert owners(context, there=ALL).mode(0o600) == 0o600


def test_a_token_is_private_where_it_has_one_reader() -> None:
    """A group's, or the user's that all containers are told to run as."""
    assert owners().token_mode(0o644) == 0o444
    assert owners(there=ALL).token_mode(0o644) == 0o644
    assert owners({"fsGroup": 5}, there=ALL).token_mode(0o644) == 0o600
    assert owners({"fsGroup": 5}).token_mode(0o644) == 0o400
    for there, user in ((ONE, None), (ALL, 70)):
        told = owners({"runAsUser": 70}, there=there)
        assert (told.token_mode(0o644), told.token_user) == (0o600, user)


def test_a_token_is_roots_where_containers_differ() -> None:
    containers = [{"name": "a"}, {"name": "b", "securityContext": {"runAsUser": 7}}]
    assert owners(there=ALL, containers=containers).token_user is None
    inits = [{"name": "i", "securityContext": {"runAsUser": 8}}]
    assert owners({"runAsUser": 7}, there=ALL, initContainers=inits).token_user is None


def test_one_that_is_not_there_owns_nothing() -> None:
    found = owners({"runAsUser": 5000, "fsGroup": 5000}, there=ALL)
    assert (found.user, found.group) == (None, None)


def test_the_least_rights_of_a_pods_users_count() -> None:
    assert owners({}, User(uid=0, gid=0), ME).rights == Rights.OTHERS
    assert owners({}, User(uid=0, gid=0), User(uid=7, gid=9, groups=(0,))).rights == Rights.GROUP


def test_what_is_kept_stays_as_it_is_where_there_is_one_user(tmp_path: Path) -> None:
    claim = tmp_path / "claim"
    ownership = owners({"fsGroup": 5})
    ownership.make_claim(claim)
    ownership.give_kept(claim)
    assert claim.stat().st_mode & 0o7777 == 0o777


def test_users_are_said_as_ranges() -> None:
    assert str(ALL) == "0 to 1000"
    assert str(Ids(ranges=((0, 1), (5, 2)))) == "0 to 0, 5 to 6"
