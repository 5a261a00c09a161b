"""The front door: options come in, plugins are registered, and nothing is decided here."""

import pytest

from suites.plugin import options

pytest_plugins = ["suites.plugin"]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register what brings platforms and scenarios, where checks are what is run."""
    with options.usage_errors():
        if options.judges(config):
            config.pluginmanager.import_plugin("fixtures.plugin")
