"""The requirements and checks that a run is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import pytest

from fixtures.run.settings import Settings
from fixtures.run.surroundings import Surroundings
from fixtures.run.usage import UsageError
from reports.events import ListedFinding, Selected
from suites.catalogue import Catalogue
from suites.versions import Version


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The requirements that --chapter and --requirement chose; with neither, all.

    `skipped` has the reasons of those that --skip leaves out, by id.
    """

    ids: frozenset[str] | None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, catalogue: Catalogue, settings: Settings) -> Self:
        """Resolve the names that were given. Raises UsageError with the near matches."""
        for accepted in settings.accept:
            catalogue.requirement(accepted, settings.origin("accept"))
        skipped: dict[str, str] = {}
        for name, why in settings.skip.items():
            id_ = catalogue.requirement(name, settings.origin("skip")).id
            if id_ in skipped:
                raise UsageError(
                    f"{settings.origin('skip')}: {id_} is there twice; give it once, with one"
                    " reason."
                )
            skipped[id_] = why
        if not settings.chapter and not settings.requirement:
            return cls(ids=None, skipped=skipped)
        origin = settings.origin("requirement")
        ids = {catalogue.requirement(id_, origin).id for id_ in settings.requirement}
        for name in settings.chapter:
            chapter = catalogue.chapter(name, settings.origin("chapter"))
            ids |= {row.id for row in chapter.requirements}
        return cls(ids=frozenset(ids), skipped=skipped)

    def takes(self, id_: str) -> bool:
        """Return whether a requirement was chosen."""
        return self.ids is None or id_ in self.ids


def ids_of(item: pytest.Item, mark: str = "requirement") -> tuple[str, ...]:
    """The ids that a check's marks carry, each once, in order."""
    return tuple(dict.fromkeys(id_ for one in item.iter_markers(mark) for id_ in one.args))


def concerns(item: pytest.Item, version: str) -> bool:
    """Return whether a check is for an operator of this version, by the `since` of its marks."""
    line = Version.parse(version).line
    stated = (str(one.kwargs.get("since") or "") for one in item.iter_markers("requirement"))
    return all(not since or Version.parse(since).line <= line for since in stated)


def refuse_malformed(items: Iterable[pytest.Item], catalogue: Catalogue) -> None:
    """Raise UsageError for a check whose marks or docstring are not in order."""
    findings = {finding.id for finding in catalogue.findings}
    for item in items:
        decided, shown = ids_of(item), ids_of(item, "finding")
        for id_ in decided:
            if id_ not in catalogue.by_id:
                catalogue.requirement(id_, item.nodeid)
                raise UsageError(f"{item.nodeid}: write the id {id_!r} as the catalogue does.")
        for id_ in shown:
            if id_ not in findings:
                raise UsageError(f"{item.nodeid}: no finding is called {id_!r}; see findings.yaml.")
        if not decided and not shown:
            raise UsageError(f'{item.nodeid}: decides nothing; mark it with @requirement("ID").')
        if not (getattr(getattr(item, "obj", None), "__doc__", None) or "").strip():
            raise UsageError(f"{item.nodeid}: says nothing; give the check a docstring.")


def listed_findings(
    catalogue: Catalogue, showing: Mapping[str, Sequence[str]], selection: "Selection"
) -> tuple[ListedFinding, ...]:
    """Return the findings that a run is about, and the checks that show them.

    All of them, or in a selection those of its checks; `showing` has the findings of each check.
    """
    found = (
        ListedFinding(
            id=finding.id,
            says=finding.finding,
            checks=tuple(check for check, ids in showing.items() if finding.id in ids),
        )
        for finding in catalogue.findings
    )
    return tuple(one for one in found if one.checks or not selection.narrowed)


def nothing_left(catalogue: Catalogue, choice: Choice, decided: frozenset[str]) -> str:
    """Say why no check is left; `decided` are the ids of all rows that a check decides."""
    if choice.ids is None:
        return "nothing selected: no check is left; --list shows what there is."
    chosen = [row.id for row in catalogue if choice.takes(row.id)]
    why = []
    if undecided := [id_ for id_ in chosen if id_ not in decided]:
        why.append(f"{_listed(undecided)} no check yet")
    if left_out := [id_ for id_ in chosen if id_ in decided]:
        why.append(f"{_listed(left_out)} checks, but -k, -m or what was named leaves them out")
    return f"nothing selected: {'; '.join(why)}."


def all_skipped(skipped: Mapping[str, str]) -> str:
    """Say that all that was selected is left out on request."""
    return f"nothing selected: {', '.join(skipped)} left out by --skip."


def _listed(ids: Sequence[str]) -> str:
    return f"{', '.join(ids)} {'has' if len(ids) == 1 else 'have'}"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The requirements of a run, and for each the checks that decide it, by node id.

    `skipped` has the reasons of those that are left out on request.
    """

    deciders: dict[str, tuple[str, ...]]
    narrowed: bool
    skipped: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def made(
        cls,
        catalogue: Catalogue,
        choice: Choice,
        collected: dict[str, tuple[str, ...]],
        running: Sequence[pytest.Item],
        *,
        narrowed: bool,
    ) -> Self:
        """Select; `collected` holds the ids of every check that was found, also deselected ones.

        With `narrowed` (by -k, -m or node ids) only what the remaining checks decide is selected,
        but all of their checks count, so that half of them never make a whole verdict.
        """
        kept = {id_ for item in running for id_ in ids_of(item)}
        deciders = {
            row.id: tuple(check for check, ids in collected.items() if row.id in ids)
            for row in catalogue
            if choice.takes(row.id) and (row.id in kept or not narrowed)
        }
        return cls(
            deciders=deciders,
            narrowed=narrowed or choice.ids is not None,
            skipped={id_: why for id_, why in choice.skipped.items() if id_ in deciders},
        )

    def without(self, checks: Iterable[str]) -> Self:
        """Return the same without these checks, by node id."""
        gone = frozenset(checks)
        left = {
            id_: tuple(check for check in decided if check not in gone)
            for id_, decided in self.deciders.items()
        }
        return replace(self, deciders=left)

    @property
    def wanted(self) -> frozenset[str]:
        """The requirements that are to be judged, as far as they apply."""
        return frozenset(self.deciders) - frozenset(self.skipped)

    def applied(
        self, catalogue: Catalogue, surroundings: Surroundings | None
    ) -> tuple[Selected, ...]:
        """Say how each requirement applies to the subject; unknown before there is one."""
        version = Version.parse(surroundings.subject.version) if surroundings else None
        conditions = surroundings.conditions if surroundings else None
        return tuple(
            Selected(
                id=row.id,
                chapter=row.chapter,
                promise=row.promise,
                level=row.level_for(version),
                not_applicable=catalogue.why_not(row, version, conditions),
                skipped=self.skipped.get(row.id, ""),
                checks=self.deciders[row.id],
                link=catalogue.link(row),
            )
            for row in catalogue
            if row.id in self.deciders
        )
