"""Evidence of a whole run: each row that is decided has it, and by it alone it can be judged."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509

from fixtures.certificates import certificates_in, fingerprint
from tests.suites.example import PATIENT, ROOT

SECONDS = 600
Json = dict[str, Any]
_SECRET = re.compile(
    r"PRIVATE KEY-----|://[^/\s:@]*:(?!\(hidden\))[^@\s]+@|[Pp]assword[\"']?[:=]\s*\w"
)


def _run(report: Path) -> list[Json]:
    """Make a whole run; return its rows that were decided."""
    command = [sys.executable, "-m", "pytest", str(ROOT / "suites"), "--platform", "embedded"]
    done = subprocess.run(
        [*command, "--report-dir", str(report), *PATIENT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows: list[Json] = json.loads((report / "run.json").read_text())["requirements"]
    return [row for row in rows if row["verdict"] in {"passed", "failed"}]


def _evidence(row: Json) -> list[str]:
    return [path for check in row["checks"] for path in check["evidence"]]


def _parse(file: Path) -> None:
    """Raise where a file is not what its ending says."""
    text = file.read_text()
    match file.suffix:
        case ".json":
            json.loads(text)
        case ".pem":
            (certificate,) = certificates_in(text.encode())
            assert fingerprint(certificate).startswith(file.stem)
        case ".sql":
            assert re.search(r"^-- Pod \S+.*\n(?s:.+);$", text, re.MULTILINE)
        case ".txt":
            assert text.strip()
        case _:
            raise AssertionError(f"{file}: an ending that says nothing")


def _certificates(value: Any) -> Iterator[Json]:
    """The certificates that are named anywhere in an exhibit."""
    if isinstance(value, dict):
        if value.get("kind") == "Certificate":
            yield value
        for one in value.values():
            yield from _certificates(one)
    elif isinstance(value, list):
        for one in value:
            yield from _certificates(one)


def _verifies(report: Path, leaf: str, root: str) -> bool:
    """What openssl says of two files of evidence."""
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", root, leaf]
    return subprocess.run(command, cwd=report, capture_output=True, check=False).returncode == 0


def _exhibit(report: Path, row: Json, name: str) -> Any:
    (path,) = (path for path in _evidence(row) if path.endswith(f"/{name}.json"))
    return json.loads((report / path).read_text())


def _judge_roots_apart(report: Path, row: Json) -> None:
    """AUTO-3a again: each leaf has a chain to its own root and none to the neighbour's."""
    stored = {name: _exhibit(report, row, f"stored.{name}")[name] for name in ("one", "two")}
    roots = {
        name: inventory["secrets"][f"{name}-cluster-ca-cert"]["certificates"]["root.crt"][0]["file"]
        for name, inventory in stored.items()
    }
    for own, other in (("one", "two"), ("two", "one")):
        leaf = stored[own]["secrets"][f"{own}-cluster-cert"]["certificates"]["tls.crt"][0]["file"]
        assert {leaf, roots[own], roots[other]} <= set(_evidence(row))
        assert _verifies(report, leaf, roots[own])
        assert not _verifies(report, leaf, roots[other])


def _judge_given_leaf_served(report: Path, row: Json) -> None:
    """CUSTOM-6a again: what every instance served is what the Secret has."""
    given = _exhibit(report, row, "deployed.certificates")["certificates"]["external"][0]
    served = _exhibit(report, row, "wire.served")["served"].values()
    assert {answer["tls"]["leaf"]["sha256"] for answer in served} == {given["sha256"]}
    assert all(answer["request"]["address"].endswith(":5432") for answer in served)


def _judge_rules(report: Path, row: Json) -> None:
    """TLSONLY-2 again, by what was asked of the server and what it answered."""
    queries = _exhibit(report, row, "created-queries")
    answers = [one["answer"] for one in queries if "pg_hba_file_rules" in one["statements"][0]]
    rules = [rule for answer in answers for rule in answer]
    plaintext = {"host", "hostnossl", "hostgssenc", "hostnogssenc"}
    assert rules
    assert {r["auth_method"] for r in rules if r["type"] in plaintext} <= {"reject"}


def _judge_deleted(report: Path, row: Json) -> None:
    """FIN-2a again: the API had no generated Secret of the cluster any more."""
    before = _exhibit(report, row, "before.generated")["generated"]["erased"]
    after = {o["path"].rpartition("/")[2]: o for o in _exhibit(report, row, "after-objects")}
    assert before
    assert {after[name]["answer"] for name in before} == {"404 NotFound"}


def _judge_names(report: Path, row: Json) -> None:
    """CERTREQ-3a again: no name of a certificate ends in a dot."""
    named = list(_certificates(_exhibit(report, row, "stored.one")))
    assert len(named) > 10
    for one in named:
        loaded = x509.load_pem_x509_certificate((report / one["file"]).read_bytes())
        names = json.loads((report / one["file"]).with_suffix(".json").read_text())
        assert not [n for n in (*names["common_names"], *names["dns_names"]) if n.endswith(".")]
        assert names["sha256"] == fingerprint(loaded)


def test_every_decided_row_can_be_judged_by_its_evidence(tmp_path: Path) -> None:
    report = tmp_path / "report"
    decided = {row["id"]: row for row in _run(report)}
    assert len(decided) > 70
    for id_, row in decided.items():
        paths = _evidence(row)
        assert paths, f"{id_} was decided on nothing"
        assert all(len(set(c["evidence"])) == len(c["evidence"]) for c in row["checks"]), id_
        assert all((report / path).is_file() for path in paths), id_
    files = [path for path in (report / "evidence").rglob("*") if path.is_file()]
    for file in files:
        _parse(file)
        assert not _SECRET.search(file.read_text()), file
        assert not re.search(r'"<\w+>"', file.read_text()), f"{file}: a type that is not shown"
    named = {report / path for row in decided.values() for path in _evidence(row)}
    assert set(files) == named
    assert sum(file.stat().st_size for file in files) < 6 * 1024 * 1024
    _judge_roots_apart(report, decided["AUTO-3a"])
    _judge_given_leaf_served(report, decided["CUSTOM-6a"])
    _judge_rules(report, decided["TLSONLY-2"])
    _judge_deleted(report, decided["FIN-2a"])
    _judge_names(report, decided["CERTREQ-3a"])
