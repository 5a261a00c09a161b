"""pytest's own words are about tests; a conformance run speaks of requirements.

pytest's reporter stays in place, for other parts of pytest ask it for its writer, but what it
writes goes nowhere. Usage errors are not its business and are still said.
"""

from pathlib import Path

import pytest

REPORTER = "terminalreporter"


def silence(config: pytest.Config) -> None:
    """Put a reporter in place that writes to nowhere."""
    nowhere = Path("/dev/null").open("w", encoding="utf-8")  # noqa: SIM115 - closed with the run
    config.add_cleanup(nowhere.close)
    if config.pluginmanager.has_plugin(REPORTER):
        config.pluginmanager.unregister(name=REPORTER)
    config.pluginmanager.register(pytest.TerminalReporter(config, nowhere), REPORTER)
