"""The texts that --list, --list-json, --explain and --images print."""

import os
from dataclasses import replace

import pytest

from fixtures.run.loading import load
from fixtures.run.settings import Settings
from fixtures.run.usage import UsageError
from suites import catalogue as catalogues
from suites import explain, index, listing
from suites.plugin import options
from suites.plugin.selection import Choice


def text(config: pytest.Config) -> str:
    """Give the answer. Raises UsageError, for example for an unknown id."""
    _refuse_unheeded(config)
    if config.getoption("pgtls_images"):
        return _images(load(options.given(config), os.environ, options.user_directory(config)))
    catalogue = catalogues.load()
    folder = options.suites_folder(config)
    checks = index.checks(folder)
    explained = config.getoption("pgtls_explain")
    if explained:
        ids = dict.fromkeys(id_ for word in explained for id_ in word.replace(",", " ").split())
        if not ids:
            raise UsageError("--explain: is empty; give ID.")
        found = [one for id_ in ids for one in catalogue.findings_of(id_, "--explain")]
        texts = [explain.finding(one, checks, folder.parent) for one in dict.fromkeys(found)]
        rows = list(
            dict.fromkeys(
                row
                for id_ in ids
                if not catalogue.findings_of(id_, "--explain")
                for row in catalogue.rows(id_, "--explain")
            )
        )
        if rows:
            texts.insert(0, explain.explanations(catalogue, checks, rows, folder.parent))
        return "\n".join(texts)
    chosen = load(options.given(config), os.environ, options.user_directory(config))
    choice = Choice.of(catalogue, chosen)
    rows = [row for row in catalogue if choice.takes(row.id)]
    if config.getoption("pgtls_list_json"):
        from fixtures.scenarios.manager import scenario_classes

        return listing.render(rows, checks, folder.parent, frozenset(scenario_classes()))
    return explain.listing(catalogue, checks, rows)


def _images(settings: Settings) -> str:
    """Say which images each subject would run on the embedded platform. Raises UsageError."""
    from fixtures.operators.images import with_images_of
    from fixtures.platforms.embedded import list_images
    from fixtures.session.lifecycle import named_bundle

    each = [replace(settings, operator_version=(one,)) for one in settings.operator_version]
    found = each or [settings]
    texts = (list_images(with_images_of(one, named_bundle(one))) for one in found)
    return "".join(dict.fromkeys(texts))


def _refuse_unheeded(config: pytest.Config) -> None:
    """Raise UsageError for what would be passed over without a word."""
    answers = {
        "--list": "list",
        "--list-json": "list_json",
        "--explain": "explain",
        "--images": "images",
    }
    asked = [flag for flag, name in answers.items() if config.getoption(f"pgtls_{name}")]
    if len(asked) > 1:
        raise UsageError(f"{asked[0]}: goes without {asked[1]}; give one of the two.")
    for flag, name in {"-k": "keyword", "-m": "markexpr", "--deselect": "deselect"}.items():
        if getattr(config.option, name):
            raise UsageError(
                f"{flag}: {asked[0]} does not heed it; leave it out, or see which checks it leaves"
                " by --collect-only -q."
            )
