"""Journals to judge: a header, a few checks, and what happened to them."""

from collections.abc import Iterable, Mapping

from reports.events import (
    CheckFinished,
    CheckStarted,
    Difference,
    EnvironmentBroke,
    Event,
    FindingShown,
    Footer,
    Header,
    Interrupted,
    KnownDeviation,
    Level,
    Outcome,
    Platform,
    Selected,
    Subject,
)
from reports.journal import Journal

EMBEDDED = Platform(name="embedded", detail="Kubernetes v1.34.0 in a box")
REFERENCE = Subject(name="reference operator", version="2.8.0", reference=True)
PERCONA = Subject(name="Percona Operator for PostgreSQL", version="2.8.0", reference=False)
PLAINTEXT = Difference(
    where="Pod tls-only-instance1-k2xq-0 (replica), 10.244.0.23:5432, from pg-client",
    promised="FATAL 28000 from ClientAuthentication",
    seen="AuthenticationSASL: the server went on to authenticate an unencrypted connection",
    look_at='pg_hba_file_rules line 9 "host all all all scram-sha-256"',
)


def selected(
    id_: str,
    *checks: str,
    level: Level = "MUST",
    promise: str = "It is kept.",
    not_applicable: str = "",
    link: str = "",
    skipped: str = "",
) -> Selected:
    return Selected(
        id=id_,
        chapter=id_.partition("-")[0],
        promise=promise,
        level=level,
        checks=checks,
        not_applicable=not_applicable,
        link=link,
        skipped=skipped,
    )


def header(
    *requirements: Selected,
    subject: Subject | None = PERCONA,
    selection: bool = False,
    deviations: Iterable[KnownDeviation] = (),
    settings: Mapping[str, object] = {},
) -> Header:
    return Header(
        run="c0ffee",
        time=1_700_000_000.0,
        tool="0.1.0",
        settings=dict(settings),
        platform=EMBEDDED,
        subject=subject,
        catalogue="0" * 64,
        selection=selection,
        requirements=requirements,
        known_deviations=tuple(deviations),
    )


def finished(
    check: str,
    outcome: Outcome = "passed",
    *differences: Difference,
    text: str = "",
    evidence: tuple[str, ...] = (),
    namespaces: tuple[str, ...] = (),
) -> list[Event]:
    return [
        CheckStarted(time=1.0, check=check),
        CheckFinished(
            time=2.0,
            check=check,
            outcome=outcome,
            seconds=1.0,
            differences=differences,
            text=text,
            evidence=evidence,
            namespaces=namespaces,
        ),
    ]


def journal(first: Header, *events: Event | list[Event], footer: bool = True) -> Journal:
    flat: list[Event] = []
    for event in events:
        flat += event if isinstance(event, list) else [event]
    end: list[Event] = [Footer(time=9.0)] if footer else []
    return Journal(header=first, events=(*flat, *end))


def broke(text: str, log: str = "") -> EnvironmentBroke:
    return EnvironmentBroke(time=3.0, text=text, log=log)


def interrupted(by: str) -> Interrupted:
    return Interrupted(time=3.0, by=by)


def started(check: str) -> CheckStarted:
    return CheckStarted(time=1.0, check=check)


def shown(id_: str) -> FindingShown:
    return FindingShown(
        time=3.0,
        finding=id_,
        says="The page writes spec.customTLSSecret; the field is under spec.secrets.",
        where="server-side apply",
        seen="unknown field",
    )
