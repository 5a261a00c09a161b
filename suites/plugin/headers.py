"""The journal's first line."""

from datetime import UTC, datetime

from fixtures.run.identity import RunIdentity
from fixtures.run.settings import Settings
from fixtures.run.surroundings import Surroundings
from pg_tls_conformance import __version__
from reports.events import (
    Header,
    Image,
    KnownDeviation,
    ListedFinding,
    Platform,
    Subject,
    Suite,
)
from suites.catalogue import Catalogue
from suites.deviations import overdue
from suites.plugin.selection import Selection
from suites.versions import Version


def header(
    run: RunIdentity,
    settings: Settings,
    catalogue: Catalogue,
    selection: Selection,
    found: Surroundings | None,
    started: float,
    *,
    suite: Suite,
    command: tuple[str, ...],
    findings: tuple[ListedFinding, ...] = (),
) -> Header:
    """Say what is judged, how it was asked for, and what it is judged by."""
    today = datetime.fromtimestamp(started, UTC).date()
    listed = [one for one in catalogue.deviations if one.requirement in selection.deciders]
    return Header(
        run=run.id,
        time=started,
        tool=__version__,
        suite=suite,
        command=command,
        settings=settings.published(),
        platform=None
        if found is None
        else Platform(name=found.platform.name, detail=found.platform.detail),
        subject=None
        if found is None
        else Subject(
            name=found.subject.name,
            version=found.subject.version,
            reference=found.subject.reference,
            image=found.subject.image,
        ),
        images=tuple(
            Image(reference=one.reference, stands_in=one.stands_in, digest=one.digest)
            for one in (found.images if found else ())
        ),
        catalogue=catalogue.digest,
        selection=selection.narrowed,
        requirements=selection.applied(catalogue, found),
        known_deviations=_known(catalogue, selection, found),
        findings=findings,
        notices=tuple(overdue(listed, today)),
    )


def _known(
    catalogue: Catalogue, selection: Selection, found: Surroundings | None
) -> tuple[KnownDeviation, ...]:
    """Return what is known of the subject's version; of the reference operator nothing is.

    It is there to show that the checks catch what they are there for, so each breach is a failure.
    """
    if found is None or found.subject.reference:
        return ()
    return tuple(
        KnownDeviation(
            requirement=entry.requirement,
            reason=entry.reason,
            link=entry.reference,
            review_by=str(entry.review_by),
            sometimes=entry.sometimes,
            breach=entry.breach,
        )
        for entry in catalogue.known_deviations(Version.parse(found.subject.version))
        if entry.requirement in selection.deciders
    )
