"""The front door: options come in, plugins are registered, and nothing is decided here."""

import pytest

pytest_plugins = ["suites.plugin"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Register what brings platforms and scenarios, where checks are to run.

    Not earlier: it is large, and by now all that can be refused has been.
    """
    plugins = session.config.pluginmanager
    if plugins.has_plugin("pgtls-conductor"):
        plugins.import_plugin("fixtures.session.plugin")
