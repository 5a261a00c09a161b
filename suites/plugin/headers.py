"""The journal's first line."""

from fixtures.run.identity import RunIdentity
from fixtures.run.settings import Settings
from fixtures.run.surroundings import Surroundings
from pg_tls_conformance import __version__
from reports.events import Header, Image, Platform, Subject
from suites.catalogue import Catalogue
from suites.plugin.selection import Selection


def header(
    run: RunIdentity,
    settings: Settings,
    catalogue: Catalogue,
    selection: Selection,
    found: Surroundings | None,
    started: float,
) -> Header:
    """Say what is judged, how it was asked for, and what it is judged by."""
    return Header(
        run=run.id,
        time=started,
        tool=__version__,
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
    )
