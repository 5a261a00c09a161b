"""`--sweep` on the command line: what it says, and its exit code."""

import os

import pytest

from fixtures.kube.errors import KubeError
from fixtures.run.loading import load
from fixtures.run.platform import PlatformError
from fixtures.run.redaction import Redactor
from fixtures.run.usage import UsageError
from fixtures.session import sweeping
from reports.text import one_line, show
from reports.verdicts import INCONCLUSIVE
from suites.plugin import options


def sweep(config: pytest.Config) -> int:
    """Sweep; 0 where nothing is left that was to go, 3 where something is, or is not known.

    Raises UsageError.
    """
    if options.asks_for_text(config):
        raise UsageError("--sweep: goes without --list, --explain and --images; give one of them.")
    redactor = Redactor()
    redactor.learn_environment(os.environ)

    def say(text: str) -> None:
        show(one_line(redactor.text(text)) + "\n")

    settings = load(options.given(config), os.environ, options.user_directory(config))
    try:
        return 0 if sweeping.sweep(settings, redactor, say) else INCONCLUSIVE
    except (KubeError, PlatformError) as error:
        say(f"inconclusive: {error}")
        return INCONCLUSIVE
