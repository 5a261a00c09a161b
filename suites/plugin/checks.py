"""The fixtures of checks: `each`, `evidence` and `findings`."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.run.evidence import Evidence
from fixtures.run.hooks import EVIDENCE
from reports.events import FindingShown
from suites.breach import EachElement
from suites.catalogue import Catalogue
from suites.plugin.outcomes import CheckState
from suites.plugin.recording import RunRecorder
from suites.plugin.selection import ids_of

STATE: pytest.StashKey[CheckState] = pytest.StashKey()
RUN: pytest.StashKey[RunRecorder] = pytest.StashKey()
CATALOGUE: pytest.StashKey[Catalogue] = pytest.StashKey()


class CheckEvidence:
    """Writes files of evidence for one check, redacted and bounded, and links them to it.

    They lie in the folder of the first requirement that the check decides. Each method returns
    the path from the report directory.
    """

    def __init__(self, item: pytest.Item, files: Evidence) -> None:
        self._item = item
        self._files = files
        self._scope = (*ids_of(item), *ids_of(item, "finding"), "run")[0]

    def text(self, name: str, text: str) -> str:
        """Keep a text, such as psql's own words."""
        return self._linked(self._files.text, name, text)

    def data(self, name: str, value: Any) -> str:
        """Keep an observation as JSON, and as text, and the certificates that it holds."""
        # Only now: it knows all types of observations, and most of the suite comes with them.
        from fixtures.exhibits.stashed import exhibits_of

        paths = exhibits_of(self._item.config).observation(self._scope, self._name(name), value)
        linked = [self.link(f"evidence/{path}") for path in paths]
        return linked[0]

    def object(self, name: str, obj: dict[str, Any]) -> str:
        """Keep a Kubernetes object, without the values of Secrets."""
        return self._linked(self._files.object, name, obj)

    def link(self, path: str) -> str:
        """Link a file that is there already; `path` is relative to the report directory."""
        self._item.user_properties.append(("evidence", path))
        return path

    def _linked(self, write: Callable[[str, str, Any], str], name: str, content: Any) -> str:
        return self.link(f"evidence/{write(self._scope, self._name(name), content)}")

    def _name(self, name: str) -> str:
        return f"{self._item.name.removeprefix('test_')}-{name.removesuffix('.json')}"


class Findings:
    """Tells the report that an error of the documentation was seen."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def shown(self, id_: str, *, where: str, seen: str, evidence: tuple[str, ...] = ()) -> None:
        """Keep that a finding was seen: where, and what. Raises KeyError for an unknown id."""
        known = {
            finding.id: finding.finding for finding in self._item.config.stash[CATALOGUE].findings
        }
        event = FindingShown(
            time=time.time(),
            finding=id_,
            says=known[id_],
            where=where,
            seen=seen,
            evidence=evidence,
        )
        self._item.config.stash[RUN].write(event)
        self._item.stash[STATE].findings.append(id_)


@pytest.fixture
def each(request: pytest.FixtureRequest) -> EachElement:
    """Judge elements one by one, each in a block of its own that begins with its name."""
    judged = EachElement()
    request.node.stash[STATE].each = judged
    return judged


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> CheckEvidence:
    """Keep what was observed, linked to this check."""
    return CheckEvidence(request.node, request.config.stash[EVIDENCE])


@pytest.fixture
def findings(request: pytest.FixtureRequest) -> Findings:
    """Tell the report about an error of the documentation."""
    return Findings(request.node)
