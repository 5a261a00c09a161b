"""The ways in which a journal can be broken, each with a name."""

# ruff: noqa: N818 - the names say what is wrong with the file


class JournalError(Exception):
    """The journal cannot be trusted; the message names file and line."""


class MissingHeader(JournalError):
    """The first line is not the header, or there is none."""


class MissingFooter(JournalError):
    """The run was cut off; raised only where a whole journal is demanded."""


class DuplicateHeader(JournalError):
    """Two runs wrote into one file."""


class DuplicateCheck(JournalError):
    """A check ended twice."""


class AfterFooter(JournalError):
    """Something follows the end of the run."""


class UnknownSchema(JournalError):
    """Written by a newer version of the suite."""


class MalformedLine(JournalError):
    """A line before the last one is no event."""
