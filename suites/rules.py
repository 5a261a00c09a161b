"""Judgement of the rules of instances under tlsOnly, as pg_hba_file_rules shows them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from fixtures.pgcluster.cluster import Member
from fixtures.pgcluster.hbarules import HbaRule, HbaRules
from suites.breach import Breach, expect
from suites.wire import NothingKnown


def judge_rules(member: Member, rules: HbaRules, *, loaded_is_promised: bool = False) -> None:
    """Judge that the rules of an instance admit no plaintext, and are loaded.

    Rules that are not loaded break a promise where one speaks of that; else nothing is known.
    """
    if rules.errors:
        raise NothingKnown(f"{member}: rules that cannot be read: {'; '.join(rules.errors)}")
    expect_none_admits(member, rules.admitting)
    if rules.loaded:
        return
    seen = "the file is newer than the last reload"
    if loaded_is_promised:
        promised = "rules loaded within the deadline `toggled`"
        raise Breach(where=f"{member}, pg_conf_load_time()", promised=promised, seen=seen)
    raise NothingKnown(f"{member}: {seen}, so the view does not show what is in force")


def expect_none_admits(member: Member, rules: Sequence[HbaRule]) -> None:
    """Judge that there is none of these rules, by which plaintext gets in."""
    expect(
        not rules,
        where=f"{member}, pg_hba_file_rules",
        promised="no host, hostnossl, hostgssenc or hostnogssenc rule but reject",
        seen="; ".join(str(rule) for rule in rules),
    )


def expect_users_rules(member: Member, rules: HbaRules, given: Sequence[str]) -> None:
    """Judge that an instance has each rule of its user, by type and address."""
    has = {(rule.type, _address(rule.address or "")) for rule in rules.rules}
    lacking = [
        rule
        for rule, (kind, _, _, address, *_) in ((rule, rule.split()) for rule in given)
        if (kind.strip('"'), _address(address.strip('"'))) not in has
    ]
    expect(
        not lacking,
        where=f"{member}, pg_hba_file_rules",
        promised="the rules of the user, as long as tlsOnly is false",
        seen=f"none of type and address of {'; '.join(map(repr, lacking))}",
        look_at="patroni.dynamicConfiguration.postgresql.pg_hba of the cluster",
    )


def _address(text: str) -> str:
    """Return an address in one form of many, without its mask; another word as it is."""
    try:
        return str(ip_address(text.partition("/")[0]))
    except ValueError:
        return text


def judge_change(member: Member, now: HbaRules, before: HbaRules, created: HbaRules) -> None:
    """Rules that are as they were show no effect; that they should show one, those at creation."""
    if now.rules != before.rules:
        return
    if created.rules == before.rules:
        raise NothingKnown(f"{member}: its rules are the same with tlsOnly and without")
    raise Breach(
        where=f"{member}, pg_hba_file_rules",
        promised="other rules than without tlsOnly, within the deadline `toggled`",
        seen="the same",
    )
