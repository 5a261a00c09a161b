"""junit.xml: one test case per requirement, for the machines that collect such files.

JUnit knows passed, failure, error and skipped only. A known deviation, a blocked requirement and
one that was not tested are skipped there, with the verdict as the skip's type and its reason.
"""

import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from datetime import UTC, datetime

from reports.events import Difference
from reports.run import RequirementRecord, Run
from reports.text import visible

FILE = "junit.xml"


def render(run: Run) -> str:
    """Return the text of junit.xml."""
    root = ET.Element("testsuites", {"name": "pg-tls-conformance", **_totals(run.requirements)})
    for chapter in dict.fromkeys(row.chapter for row in run.requirements):
        rows = [row for row in run.requirements if row.chapter == chapter]
        suite = ET.SubElement(root, "testsuite", {"name": visible(chapter), **_totals(rows)})
        suite.set("timestamp", datetime.fromtimestamp(run.started, UTC).isoformat())
        suite.set("hostname", visible(run.platform.name) if run.platform else "")
        suite.append(_properties(run))
        suite.extend(_case(row) for row in rows)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _totals(rows: Iterable[RequirementRecord]) -> dict[str, str]:
    verdicts = [row.verdict for row in rows]
    failures, errors = verdicts.count("failed"), verdicts.count("error")
    return {
        "tests": str(len(verdicts)),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(len(verdicts) - failures - errors - verdicts.count("passed")),
    }


def _properties(run: Run) -> ET.Element:
    properties = ET.Element("properties")
    facts = {
        "result": run.result,
        "statement": "\n".join(run.statement),
        "certifies": str(run.certifies).lower(),
        "platform": f"{run.platform.name} {run.platform.detail}" if run.platform else "",
        "subject": f"{run.subject.name} {run.subject.version}" if run.subject else "",
        "run": run.run,
        "suite": run.tool,
        "commit": (run.suite and run.suite.commit) or "",
        "command": shlex.join(run.command),
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=visible(value.strip()))
    return properties


def _case(row: RequirementRecord) -> ET.Element:
    case = ET.Element(
        "testcase", classname=visible(row.chapter), name=visible(f"{row.id} {row.promise}")
    )
    case.set("time", f"{sum(check.seconds for check in row.checks):.3f}")
    if row.verdict != "passed":
        tag = {"failed": "failure", "error": "error"}.get(row.verdict, "skipped")
        outcome = ET.SubElement(case, tag, type=row.verdict, message=visible(_message(row)))
        outcome.text = visible(_details(row))
    evidence = [path for check in row.checks for path in check.evidence]
    if evidence:
        ET.SubElement(case, "system-out").text = visible("\n".join(evidence))
    return case


def _message(row: RequirementRecord) -> str:
    differences = _differences(row)
    return differences[0].seen if differences else row.reason or row.verdict


def _details(row: RequirementRecord) -> str:
    blocks = [
        f"where: {one.where}\npromised: {one.promised}\nseen: {one.seen}\nlook at: {one.look_at}"
        for one in _differences(row)
    ]
    texts = [check.text for check in row.checks if check.text]
    facts = {"namespace": ", ".join(row.namespaces), "level": row.level, "page": row.link}
    about = "\n".join(f"{name}: {fact}" for name, fact in facts.items() if fact)
    return "\n\n".join([*blocks, *texts, about])


def _differences(row: RequirementRecord) -> list[Difference]:
    return [one for check in row.checks for one in check.differences]
