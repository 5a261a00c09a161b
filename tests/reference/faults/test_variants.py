"""The variants: each keeps the contract in a way of its own, and stays as it has become."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from embedded.node.behaviour import NodeBehaviour
from fixtures.certificates import (
    certificates_in,
    common_name,
    dns_names,
    is_authority,
    key_matches,
    verify_chain,
)
from reference.faults import Variant, chapters
from reference.faults.registry import EVERYTHING, OVERRIDES, VARIANTS, combined, parse
from reference.operator.contract import Contract
from tests.reference.operator.test_secrets import settled, value

CATALOGUE = Path(__file__).parents[3] / "suites" / "requirements.yaml"
EACH = pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)


def test_there_are_fifteen_and_more_each_of_its_own_name() -> None:
    names = [each.name for each in EVERYTHING]
    assert len(VARIANTS) >= 15
    assert len(names) == len(set(names))


def test_every_record_in_the_sources_is_found() -> None:
    folder = Path(chapters.__path__[0])
    sources = "".join(path.read_text() for path in sorted(folder.rglob("*.py")))
    written = re.findall(r'^@Variant\(\s*name="([^"]*)"', sources, flags=re.MULTILINE)
    assert sorted(written) == sorted(variant.name for variant in VARIANTS)


def test_only_rows_that_inform_may_differ() -> None:
    rows = yaml.safe_load(CATALOGUE.read_text())
    levels = {
        row["id"]: row.get("level", "MUST")
        for chapter in rows["chapters"]
        for row in chapter["requirements"]
    }
    for variant in VARIANTS:
        for hit in variant.differing:
            assert levels[hit.requirement] == "MAY", variant.name


@EACH
def test_each_overrides_a_seam_or_has_images_of_its_own(variant: Variant) -> None:
    override = OVERRIDES[variant.name]
    base = NodeBehaviour if variant.where == "node" else Contract
    assert issubclass(override, base)
    if variant.other_postgresql:
        return
    seams = [name for name in dir(base) if not name.startswith("_")]
    assert any(getattr(override, name) is not getattr(base, name) for name in seams)


@EACH
def test_what_is_made_once_stays(variant: Variant) -> None:
    first, again = settled(variant.name)
    assert first == again


@EACH
def test_what_is_made_keeps_the_contract(variant: Variant) -> None:
    first, _ = settled(variant.name)
    (root,) = certificates_in(value(first["c-cluster-ca-cert"], "root.crt"))
    assert is_authority(root)
    pairs = {
        ("c-cluster-cert", "tls.crt"): "tls.key",
        ("c-replication-cert", "tls.crt"): "tls.key",
        ("c-pgbouncer", "pgbouncer-frontend.crt"): "pgbouncer-frontend.key",
        ("c-pgbackrest", "pgbackrest-repo-host.crt"): "pgbackrest-repo-host.key",
        ("c-instance1-abcd-certs", "dns.crt"): "dns.key",
    }
    for (secret, key), private in pairs.items():
        leaf, *between = certificates_in(value(first[secret], key))
        assert verify_chain(leaf, [root], between).ok, secret
        assert key_matches(leaf, value(first[secret], private)), secret
        assert dns_names(leaf), secret
    (internal, *_) = certificates_in(value(first["c-replication-cert"], "tls.crt"))
    assert common_name(internal) == "_crunchyrepl"


def test_a_variant_is_run_as_a_fault_is() -> None:
    (variant,) = parse("rsa-leaves")
    assert isinstance(variant, Variant)
    assert isinstance(combined(Contract, [variant]), OVERRIDES["rsa-leaves"])
