"""The catalogue: what is promised, since when, how firmly, and where it says so.

The files are data; this module reads them, refuses what is malformed in one line, and answers
whether a row holds for a given operator in given surroundings.
"""

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from fixtures.run.usage import UsageError, near
from suites import deviations
from suites.deviations import Deviation
from suites.rows import Row, parse_row, read, read_rows
from suites.versions import LevelName, LevelStep, Version, level_at, parse_levels

HERE = Path(__file__).parent
OLDEST = Version(2, 2)
"""The first version of the operator that promises of this catalogue hold for."""
REQUIREMENT_ID = re.compile(r"([A-Z]+)-([1-9]\d*)([a-z]?)")
FINDING_ID = re.compile(r"FINDING-[1-9]\d*")


class Condition(Row):
    """Something that must hold where a row is to be applicable; `otherwise` is the reason."""

    id: str
    means: str
    otherwise: str


class Requirement(Row):
    """One promise. `since` and `until` are release lines, both included.

    A row gives id, promise and source; the rest has defaults, here or in its chapter.
    """

    id: str
    chapter: str
    promise: str
    level: Annotated[tuple[LevelStep, ...], BeforeValidator(parse_levels)] = parse_levels("MUST")
    source: tuple[str, ...]
    since: Annotated[Version, BeforeValidator(Version.parse)] = OLDEST
    until: Annotated[Version | None, BeforeValidator(lambda text: text and Version.parse(text))] = (
        None
    )
    needs: tuple[str, ...]
    deadlines: tuple[str, ...]
    observed: str = "As its checks say."
    known: str = ""

    def level_for(self, version: Version | None) -> LevelName:
        """Give the level for the subject's version."""
        return level_at(self.level, version)

    @property
    def levels(self) -> str:
        """The level with its changes, as in the file: "MUST; SHOULD from 3.1"."""
        first, *later = self.level
        return "; ".join(
            [first.level, *(f"{step.level} from {step.since[0]}.{step.since[1]}" for step in later)]
        )

    @property
    def versions(self) -> str:
        """The range in words: "2.5 to 3.0", "2.2 and later"."""
        since = "{}.{}".format(*self.since.line)
        return (
            f"{since} and later"
            if self.until is None
            else f"{since} to {'{}.{}'.format(*self.until.line)}"
        )


class Chapter(Row):
    """A part of the contract; `id` is what the ids of its rows begin with."""

    id: str
    title: str
    requirements: tuple[Requirement, ...]


class Source(Row):
    """A sentence that promises something, in words of this project."""

    id: str
    page: str
    address: str = ""
    section: str
    says: str
    link: str = ""
    """The address of the section; empty where nothing is published."""


class Finding(Row):
    """An error of the documentation, and how it is shown."""

    id: str
    finding: str
    shown: str


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All of it, with the SHA-256 of the file that the rows came from."""

    chapters: tuple[Chapter, ...]
    conditions: tuple[Condition, ...]
    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]
    digest: str
    deviations: tuple[Deviation, ...] = ()

    def __iter__(self) -> Iterator[Requirement]:
        return (row for chapter in self.chapters for row in chapter.requirements)

    @functools.cached_property
    def by_id(self) -> dict[str, Requirement]:
        """The rows by id, in the order of the catalogue."""
        return {row.id: row for row in self}

    def requirement(self, id_: str, origin: str) -> Requirement:
        """Look a row up. Raises UsageError with the near matches; `origin` begins its line."""
        row = self.by_id.get(id_) or self.by_id.get(id_.upper()) or self.by_id.get(_cased(id_))
        if row is None:
            hint = near(id_, self.by_id, otherwise="; --list shows them.")
            raise UsageError(f"{origin}: unknown requirement {id_!r}{hint}")
        return row

    def link(self, row: Requirement) -> str:
        """Return the address of the section that promises it; empty where none is published."""
        pages = {source.id: source.link for source in self.sources}
        return next((pages[id_] for id_ in row.source if pages[id_]), "")

    def rows(self, word: str, origin: str) -> tuple[Requirement, ...]:
        """Look up the row of an id, or all rows of a chapter by its name.

        Raises UsageError with the near matches.
        """
        for chapter in self.chapters:
            if chapter.id == word.upper():
                return chapter.requirements
        known = [*(chapter.id for chapter in self.chapters), *self.by_id]
        if REQUIREMENT_ID.fullmatch(_cased(word)):
            return (self.requirement(word, origin),)
        hint = near(word, known, otherwise="; --list shows what there is.")
        raise UsageError(f"{origin}: {word!r} is neither a requirement nor a chapter{hint}")

    def chapter(self, name: str, origin: str) -> Chapter:
        """Look a chapter up. Raises UsageError with the near matches."""
        for chapter in self.chapters:
            if chapter.id == name.upper():
                return chapter
        names = [chapter.id for chapter in self.chapters]
        raise UsageError(
            f"{origin}: unknown chapter {name!r}{near(name, names)} Choose from {', '.join(names)}."
        )

    def findings_of(self, id_: str, origin: str) -> tuple[Finding, ...]:
        """Return a finding, or all for FINDING; none where the name is not of that form.

        Raises UsageError for the name of a finding that there is not.
        """
        name = id_.upper()
        if name == "FINDING":
            return self.findings
        if not name.startswith("FINDING-"):
            return ()
        found = tuple(one for one in self.findings if one.id == name)
        if not found:
            raise UsageError(f"{origin}: unknown finding {id_!r}; --explain FINDING shows them.")
        return found

    def known_deviations(self, version: Version | None) -> tuple[Deviation, ...]:
        """Return what a version of Percona's operator is known to break; none while unknown."""
        if version is None:
            return ()
        return tuple(entry for entry in self.deviations if entry.covers(version))

    def why_not(
        self, row: Requirement, version: Version | None, conditions: frozenset[str] | None
    ) -> str:
        """Say why a row is not applicable; empty when it is, or while the subject is unknown."""
        if version is not None and version.line < row.since.line:
            return f"from {'{}.{}'.format(*row.since.line)} on, the subject is {version}"
        if version is not None and row.until is not None and version.line > row.until.line:
            return f"up to {'{}.{}'.format(*row.until.line)}, the subject is {version}"
        for condition in self.conditions:
            missing = conditions is not None and condition.id not in conditions
            if condition.id in row.needs and missing:
                return condition.otherwise
        return ""


def _cased(id_: str) -> str:
    """AUTO-2a however it was typed."""
    chapter, _, number = id_.partition("-")
    return f"{chapter.upper()}-{number.lower()}"


def load(directory: Path = HERE) -> Catalogue:
    """Read the files of a directory. Raises UsageError.

    They are requirements.yaml, sources.yaml, findings.yaml and, where it is there,
    known_deviations.yaml.
    """
    path = directory / "requirements.yaml"
    tree = read(path)
    if not isinstance(tree, dict) or not isinstance(tree.get("chapters"), list):
        raise UsageError(f"{path.name}: has no list of chapters; restore the file.")
    catalogue = Catalogue(
        chapters=tuple(_chapter(entry, path.name) for entry in tree["chapters"]),
        conditions=tuple(parse_row(Condition, c, path.name) for c in tree.get("conditions", [])),
        sources=tuple(_sources(directory / "sources.yaml")),
        findings=_findings(directory / "findings.yaml"),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    _refuse_disorder(catalogue, path.name)
    promised = {one.id: (one.since, one.until) for one in catalogue}
    return replace(catalogue, deviations=deviations.load(directory, promised))


def _chapter(entry: Any, file: str) -> Chapter:
    if not isinstance(entry, dict):
        raise UsageError(f"{file}: {entry!r} is no chapter; give it id, title and requirements.")
    common = {
        "chapter": entry.get("id"),
        "needs": entry.get("needs", []),
        "deadlines": entry.get("deadlines", []),
    }
    rows = [
        parse_row(Requirement, {**common, **one} if isinstance(one, dict) else one, file)
        for one in entry.get("requirements") or []
    ]
    named = {key: entry.get(key) for key in ("id", "title")}
    return parse_row(Chapter, {**named, "requirements": rows}, file)


def _findings(path: Path) -> tuple[Finding, ...]:
    found = tuple(read_rows(Finding, path))
    seen: set[str] = set()
    for finding in found:
        if not FINDING_ID.fullmatch(finding.id):
            raise UsageError(f"{path.name}: malformed id {finding.id!r}; write it as FINDING-1.")
        if finding.id in seen:
            raise UsageError(f"{path.name}: {finding.id} stands there twice; ids are given once.")
        seen.add(finding.id)
    return found


def _sources(path: Path) -> Iterator[Source]:
    try:
        for page in read(path):
            about = {key: page[key] for key in ("page", "address") if key in page}
            for sentence in page["sentences"]:
                link = _link(page, str(sentence["section"]))
                yield parse_row(Source, {**about, "link": link, **sentence}, path.name)
    except (TypeError, KeyError) as error:
        raise UsageError(f"{path.name}: not pages with sentences: {error}.") from None


def _link(page: Mapping[str, Any], section: str) -> str:
    """The address of a section: of the longest of the page's links that its name begins with."""
    links: Mapping[str, str] = page.get("links", {})
    begins = [name for name in links if section.startswith(name)]
    address = str(page.get("address", ""))
    return address + links[max(begins, key=len)] if begins else address


def _refuse_disorder(catalogue: Catalogue, file: str) -> None:
    """Ids of the right form, each once, in the chapter that they name; all references known."""
    seen: set[str] = set()
    sources = {source.id for source in catalogue.sources}
    conditions = {condition.id for condition in catalogue.conditions}
    for row in catalogue:
        match = REQUIREMENT_ID.fullmatch(row.id)
        if match is None:
            raise UsageError(f"{file}: malformed id {row.id!r}; write it as AUTO-2 or AUTO-2a.")
        if match[1] != row.chapter:
            raise UsageError(
                f"{file}: {row.id} stands in chapter {row.chapter}; move or rename it."
            )
        if row.id in seen:
            raise UsageError(f"{file}: {row.id} stands there twice; ids are given once.")
        seen.add(row.id)
        for unknown in [*(set(row.source) - sources), *(set(row.needs) - conditions)]:
            raise UsageError(f"{file}: {row.id} refers to {unknown!r}, which nothing explains.")
