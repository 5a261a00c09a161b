"""The box is for anybody's operator: it does not know whose is tested on it here."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SUBJECT = re.compile(r"postgres|percona|pgbouncer|patroni|crunchy", re.IGNORECASE)


def test_no_file_mentions_the_subject() -> None:
    files = (path for path in (REPOSITORY / "embedded").rglob("*") if path.is_file())
    found = {
        str(path.relative_to(REPOSITORY)): SUBJECT.findall(path.read_text())
        for path in files
        if path.parent.name != "__pycache__"
    }
    assert "embedded/README.md" in found
    assert {name: words for name, words in found.items() if words} == {}
