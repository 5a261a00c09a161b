"""The marks that a check carries: what it decides, or what it shows."""

import pytest


def requirement(*ids: str, since: str = "") -> pytest.MarkDecorator:
    """Mark a check with the requirements that it decides: `@requirement("AUTO-1")`.

    An id that the catalogue does not have is a usage error when checks are collected. A breach
    fails all of a check's requirements, so give it several only where they are one observation.
    `since` is for a check whose clusters older operators cannot have, although the promise is made
    by them: it is left out with those.
    """
    return pytest.mark.requirement(*ids, since=since)


def finding(*ids: str) -> pytest.MarkDecorator:
    """Mark a check with the findings about the documentation that it shows; no verdict follows."""
    return pytest.mark.finding(*ids)
