"""Fixtures of all tests."""

import os
import signal


def pytest_configure() -> None:
    """Take Ctrl-C as on a terminal: a shell starts what it puts in the background deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What runs write into pipes is of no terminal's width. readline, which pytest imports, passes
    # that of pytest on to programs; os.environ knows of it in pytest-xdist's workers alone.
    os.environ.pop("COLUMNS", None)
    os.unsetenv("COLUMNS")
