"""The checks of the suites as their source shows them: in order without running any of them."""

import pytest

from suites import catalogue as catalogues
from suites import index
from suites.catalogue import HERE
from suites.index import Check

CHECKS = index.checks(HERE)
CATALOGUE = catalogues.load()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_decides_what_the_catalogue_has_and_says_how(check: Check) -> None:
    known = set(CATALOGUE.by_id) | {finding.id for finding in CATALOGUE.findings}
    assert check.ids, "it decides nothing"
    assert set(check.ids) <= known
    assert len(check.text.split()) > 5, "it says nothing"


def test_names_of_checks_are_unique_in_their_module() -> None:
    seen = [(check.file, check.name) for check in CHECKS]
    assert len(seen) == len(set(seen))
