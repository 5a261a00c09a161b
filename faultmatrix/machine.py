"""The matrix as JSON, for programs and for a later matrix of what went wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faultmatrix.judging import Kept, Outcome
from faultmatrix.matrix import Entry, Matrix

SCHEMA = 1


def render(matrix: Matrix) -> str:
    """Give the text of the file: the matrix, and whether all is well."""
    document = {
        "schema_version": SCHEMA,
        "good": matrix.good,
        "seconds": round(matrix.seconds, 3),
        "without_a_fault": _entry(matrix.baseline),
        "requirements_without_a_fault": matrix.bare,
        "faults": [_entry(entry) for entry in matrix.faults],
        "variants": [_entry(entry) for entry in matrix.variants],
    }
    return json.dumps(document, indent=2) + "\n"


def failed(file: Path) -> frozenset[str]:
    """Return the names of the faults and variants in a file of `render` that came out wrong.

    Raises ValueError, in one line, where that file cannot be read or is none.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema_version"] != SCHEMA:
            raise ValueError(f"{file}: schema version {document['schema_version']!r} is unknown")
        named = [(row["fault"], row["good"]) for row in document["faults"]]
        named += [(row["variant"], row["good"]) for row in document["variants"]]
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no matrix; give a file that --json wrote") from error
    return frozenset(name for name, good in named if not good)


def _entry(entry: Entry) -> dict[str, Any]:
    seen = asdict(entry.seen)
    if isinstance(entry.seen, Outcome):
        fault = entry.seen.fault
        seen["fault"] = fault.name
        seen["breaks"] = fault.breaks
        seen["expects"] = fault.expects
    if isinstance(entry.seen, Kept):
        variant = entry.seen.variant
        seen["variant"] = variant.name
        seen["differs"] = variant.differs
        seen["expects"] = "passed"
    report = str(entry.report) if entry.report.exists() else None
    return {**seen, "good": entry.seen.good, "seconds": round(entry.seconds, 3), "report": report}
