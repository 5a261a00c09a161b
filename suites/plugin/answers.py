"""What --list, --list-json and --explain print."""

import os

import pytest

from fixtures.run import settings
from suites import catalogue as catalogues
from suites import explain, index, listing
from suites.plugin import options
from suites.plugin.selection import Choice


def text(config: pytest.Config) -> str:
    """Give the answer. Raises UsageError, for example for an unknown id."""
    catalogue = catalogues.load()
    folder = options.suites_folder(config)
    checks = index.checks(folder)
    explained = config.getoption("pgtls_explain")
    if explained:
        rows = [catalogue.requirement(id_, "--explain") for id_ in explained]
        return "\n".join(explain.explanation(catalogue, checks, row, folder.parent) for row in rows)
    chosen = settings.load(options.given(config), os.environ, config.rootpath)
    choice = Choice.of(catalogue, chosen)
    rows = [row for row in catalogue if choice.takes(row.id)]
    if config.getoption("pgtls_list_json"):
        from fixtures.scenarios.manager import scenario_classes

        return listing.render(rows, checks, folder.parent, frozenset(scenario_classes()))
    return explain.listing(catalogue, checks, rows)
