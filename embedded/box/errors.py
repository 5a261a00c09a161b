"""Errors of the launcher; each text is one line for the user."""

from __future__ import annotations


class WrongUseError(Exception):
    """The command line cannot be followed; the text is one line with the option and the way."""


class BoxUnavailableError(Exception):
    """This machine does not let a box be made; the text is one line with the step and the way."""


class ComponentError(Exception):
    """A component of the platform failed; the text is one line, `log` the last lines of its log."""

    def __init__(self, text: str, log: str = "") -> None:
        super().__init__(text)
        self.log = log
