"""Instances that keep their names, mounts where the contract has them, revisions."""

from __future__ import annotations

import re
from typing import Any

from reference.operator.contract import Contract
from reference.operator.model import Instance
from reference.operator.pki import Authority
from reference.operator.workloads import instances, pgbouncer
from reference.operator.workloads.plan import existing
from reference.operator.workloads.plan import instances as planned
from reference.operator.workloads.template import revision
from tests.reference.operator.builders import (
    NOW,
    Json,
    cluster,
    context,
    external,
    internal,
    leaf_secret,
)

CONTRACT = Contract()


def plan(before: list[Json], claims: list[Json] | None = None, **spec: Any) -> list[Instance]:
    wanted = cluster(**spec)
    return planned(wanted.names, wanted.instance_sets, existing(before, claims or []))


def one() -> Instance:
    return plan([])[0]


def test_new_instances_have_four_letters_of_their_own_and_one_primary() -> None:
    first, second = plan([])
    for each in (first, second):
        assert re.fullmatch(r"c-instance1-[a-z0-9]{4}", each.name)
    assert (first.role, second.role) == ("primary", "replica")


def test_instances_are_remembered_by_what_they_left() -> None:
    made = context(cluster())
    before = plan([])
    sets = [instances.stateful_set(CONTRACT, made, each) for each in before]
    claims = [instances.claim(made, each) for each in before]
    assert plan(sets, claims) == before
    assert plan([], claims) == before, "data found again after the cluster went"


def test_the_primary_stays_when_the_set_shrinks_and_others_stay_when_it_grows() -> None:
    made = context(cluster())
    sets = [instances.stateful_set(CONTRACT, made, each) for each in plan([])]
    fewer = [dict(cluster_set, replicas=1) for cluster_set in _sets()]
    assert [each.role for each in plan(sets, instances=fewer)] == ["primary"]
    more = [dict(cluster_set, replicas=3) for cluster_set in _sets()]
    grown = plan(sets, instances=more)
    assert {each["metadata"]["name"] for each in sets} < {each.name for each in grown}


def _sets() -> list[Json]:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return [{"name": "instance1", "replicas": 2, "dataVolumeClaimSpec": claim}]


def test_certificates_are_mounted_where_the_contract_has_them() -> None:
    pod = instances.stateful_set(CONTRACT, context(cluster()), one())["spec"]["template"]["spec"]
    volume = next(each for each in pod["volumes"] if each["name"] == "cert-volume")
    paths = {
        source["secret"]["name"]: [item["path"] for item in source["secret"]["items"]]
        for source in volume["projected"]["sources"]
    }
    assert paths == {
        "c-cluster-cert": ["tls.crt", "tls.key", "ca.crt"],
        "c-replication-cert": [
            "replication/tls.crt",
            "replication/tls.key",
            "replication/ca.crt",
        ],
    }
    assert volume["projected"]["defaultMode"] == 0o600
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounts["cert-volume"] == "/pgconf/tls"


def test_a_new_secret_name_is_a_new_revision_and_new_content_is_not() -> None:
    root = Authority.generate(NOW)
    refs = {"customTLSSecret": {"name": "tls"}, "customReplicationTLSSecret": {"name": "repl"}}
    instance = one()

    def of(name: str) -> str:
        given = [
            leaf_secret(name, external(root), root),
            leaf_secret("repl", internal(root), root),
        ]
        wanted = cluster(secrets=refs | {"customTLSSecret": {"name": name}})
        return revision(instances.stateful_set(CONTRACT, context(wanted, *given), instance))

    assert of("tls") == of("tls")
    assert of("tls") != of("tls-new")


def test_toggling_tls_only_changes_no_pod() -> None:
    instance = one()
    plain, strict = context(cluster()), context(cluster(tlsOnly=True))
    sets = [instances.stateful_set(CONTRACT, made, instance) for made in (plain, strict)]
    assert sets[0] == sets[1]
    assert pgbouncer.deployment(CONTRACT, plain) == pgbouncer.deployment(CONTRACT, strict)


def test_pause_takes_the_pods_and_nothing_else() -> None:
    instance = one()
    running = instances.stateful_set(CONTRACT, context(cluster()), instance)
    paused = instances.stateful_set(CONTRACT, context(cluster(pause=True)), instance)
    assert (running["spec"].pop("replicas"), paused["spec"].pop("replicas")) == (1, 0)
    assert running == paused


def test_the_pooler_verifies_by_the_authority_of_the_leaf_that_is_served() -> None:
    root = Authority.generate(NOW)
    refs = {"customTLSSecret": {"name": "tls"}, "customReplicationTLSSecret": {"name": "repl"}}
    given = [
        leaf_secret("tls", external(root), root),
        leaf_secret("repl", internal(root), root),
    ]
    for made, secret in (
        (context(cluster()), "c-cluster-cert"),
        (context(cluster(secrets=refs), *given), "tls"),
    ):
        pod = pgbouncer.deployment(CONTRACT, made)["spec"]["template"]["spec"]
        sources = pod["volumes"][0]["projected"]["sources"]
        item = {"key": "ca.crt", "path": "~postgres-operator/backend-ca.crt"}
        assert {"secret": {"name": secret, "items": [item]}} in sources
