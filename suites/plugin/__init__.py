"""The pytest plugin of a conformance run: from options to exit code.

It is silent unless the suites are what pytest was asked to run, so the project's own tests pay
nothing for it and need none of its options. The work is in the modules beside this one, and they
are imported when a run needs them.
"""

from __future__ import annotations

import pytest

from suites.plugin import options

MARKERS = (
    "requirement(*ids): the check decides these requirements of the catalogue",
    "finding(*ids): the check shows these findings about the documentation",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks by which a platform is started and stopped."""
    from fixtures.run import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of a run."""
    options.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer --list, --explain and --images, or sweep, and nothing else: nothing is started."""
    if options.asks_for_sweep(config):
        from suites.plugin import sweeping

        with options.usage_errors():
            return sweeping.sweep(config)
    if not options.asks_for_text(config):
        return _of_several_versions(config)
    from reports.text import show
    from suites.plugin import answers

    with options.usage_errors():
        show(answers.text(config))
    return 0


def _of_several_versions(config: pytest.Config) -> int | None:
    """Judge each version that is named by a run of its own; None where there are not several."""
    if not options.may_name_versions(config):
        return None
    from suites.plugin import subjects

    with options.usage_errors():
        return subjects.judge_each(config)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check all that can be checked before anything starts."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    options.leave_named(config)
    with options.usage_errors():
        if not options.judges(config):
            return
        from suites.plugin import conducting

        config.pluginmanager.register(conducting.conductor(config), "pgtls-conductor")
