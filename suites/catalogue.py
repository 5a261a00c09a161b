"""The catalogue: what is promised, since when, how firmly, and where it says so.

The files are data; this module reads them, refuses what is malformed in one line, and answers
whether a row holds for a given operator in given surroundings.
"""

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from fixtures.run.usage import UsageError, near, reason
from suites.versions import LevelName, LevelStep, Version, level_at, parse_levels

HERE = Path(__file__).parent
_Entry = TypeVar("_Entry", bound=BaseModel)
OLDEST = Version(2, 2)
"""The first version of the operator that promises of this catalogue hold for."""
REQUIREMENT_ID = re.compile(r"([A-Z]+)-([1-9]\d*)([a-z]?)")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Row):
    """Something that must hold where a row is to be applicable; `otherwise` is the reason."""

    id: str
    means: str
    otherwise: str


class Requirement(_Row):
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


class Chapter(_Row):
    """A part of the contract; `id` is what the ids of its rows begin with."""

    id: str
    title: str
    requirements: tuple[Requirement, ...]


class Source(_Row):
    """A sentence that promises something, in words of this project."""

    id: str
    page: str
    address: str = ""
    section: str
    says: str
    link: str = ""
    """The address of the section; empty where nothing is published."""


class Finding(_Row):
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
    """Read requirements.yaml, sources.yaml and findings.yaml of a directory. Raises UsageError."""
    path = directory / "requirements.yaml"
    tree = _read(path)
    if not isinstance(tree, dict) or not isinstance(tree.get("chapters"), list):
        raise UsageError(f"{path.name}: has no list of chapters; restore the file.")
    catalogue = Catalogue(
        chapters=tuple(_chapter(entry, path.name) for entry in tree["chapters"]),
        conditions=tuple(_row(Condition, c, path.name) for c in tree.get("conditions", [])),
        sources=tuple(_sources(directory / "sources.yaml")),
        findings=tuple(
            _row(Finding, f, "findings.yaml") for f in _read(directory / "findings.yaml")
        ),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    _refuse_disorder(catalogue, path.name)
    return catalogue


def _read(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - safe both
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{path.name}{place}: {error.problem}. Correct the file.") from None
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(
            f"{path.name}: cannot be read: {reason(error)}. Restore the file."
        ) from None


def _chapter(entry: Any, file: str) -> Chapter:
    if not isinstance(entry, dict):
        raise UsageError(f"{file}: {entry!r} is no chapter; give it id, title and requirements.")
    common = {
        "chapter": entry.get("id"),
        "needs": entry.get("needs", []),
        "deadlines": entry.get("deadlines", []),
    }
    rows = [
        _row(Requirement, {**common, **row} if isinstance(row, dict) else row, file)
        for row in entry.get("requirements") or []
    ]
    named = {key: entry.get(key) for key in ("id", "title")}
    return _row(Chapter, {**named, "requirements": rows}, file)


def _sources(path: Path) -> Iterator[Source]:
    try:
        for page in _read(path):
            about = {key: page[key] for key in ("page", "address") if key in page}
            for sentence in page["sentences"]:
                link = _link(page, str(sentence["section"]))
                yield _row(Source, {**about, "link": link, **sentence}, path.name)
    except (TypeError, KeyError) as error:
        raise UsageError(f"{path.name}: not pages with sentences: {error}.") from None


def _link(page: Mapping[str, Any], section: str) -> str:
    """The address of a section: of the longest of the page's links that its name begins with."""
    links: Mapping[str, str] = page.get("links", {})
    begins = [name for name in links if section.startswith(name)]
    address = str(page.get("address", ""))
    return address + links[max(begins, key=len)] if begins else address


def _row(model: type[_Entry], entry: Any, file: str) -> _Entry:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "entry"
        why = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{file}: {_named(entry)}, {field}: {why}. Correct the file.") from None


def _named(entry: Any) -> str:
    """Return what an entry is found by in its file: its id, or its beginning where it has none."""
    texts = entry if isinstance(entry, dict) else {}
    for key in ("id", "promise", "title", "says", "finding", "means"):
        if isinstance(texts.get(key), str):
            return f"{texts[key]:.60}"
    return f"entry {entry!r:.60}"


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
