"""Which image stands in for which reference."""

from __future__ import annotations

import pytest

from embedded.images.model import Image, ImageConfig, ImageRule, find, repository

IMAGE = Image(recipe="r", suite="s", digest="sha256:0", layers=(), config=ImageConfig(uid=1, gid=1))


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("percona/percona-pgbouncer", "percona/percona-pgbouncer"),
        ("docker.io/percona/percona-pgbouncer:1.24.1-1", "percona/percona-pgbouncer"),
        ("localhost:5000/a/b:tag@sha256:00", "a/b"),
        ("localhost/a", "a"),
        ("reference-operator:0.1.0", "reference-operator"),
        ("registry.example:5000/a@sha256:00", "a"),
    ],
)
def test_a_reference_is_reduced_to_its_path(reference: str, path: str) -> None:
    assert repository(reference) == path


def test_the_first_rule_that_matches_decides() -> None:
    rules = (ImageRule(pattern="percona/*", image=IMAGE),)
    assert find(rules, "docker.io/percona/anything:1") is IMAGE
    assert find(rules, "other/percona") is None
