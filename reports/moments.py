"""Points in time: seconds since 1970 in the program, RFC 3339 with a zone in every file."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


def rfc3339(seconds: float) -> str:
    """Write seconds since 1970 as a date and time in UTC: `2026-11-30T08:00:00.250000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _seconds(value: Any) -> Any:
    """Read what files of any version have: text with a zone, or a number of seconds."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return moment.timestamp()


Moment = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A point in time as a field of a model."""
