"""Rows and their steps: read from `rows.yaml`, run against a server."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from fixtures.kube.waiting import DeadlineExpired, NotYet, ask_again
from fixtures.run.deadlines import Deadline

_KINDS = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
    "none": "application/none",
}
_LONG = ",".join(f"value-{number}" for number in range(3000))
_WAIT = Deadline(name="parity", seconds=10.0, until="a server knows of what was bound")

Request = Callable[[str, str, bytes | None, dict[str, str]], tuple[int, bytes]]
"""Sends method, path, body and headers; gives code and body."""


class DiffersError(Exception):
    """An answer is another than the row says."""


class Step(BaseModel):
    """A request, and what of its answer is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    do: str
    code: int
    send: Any = None
    raw: str = ""
    kind: str = "merge"
    user: str = Field(default="", alias="as")
    has: Any = None
    keep: tuple[str, ...] = ()
    wait: bool = False
    """True where another answer may come first."""


class Row(BaseModel):
    """Steps that show one thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    says: str
    steps: tuple[Step, ...]


def rows() -> list[Row]:
    """All rows."""
    text = Path(__file__).with_name("rows.yaml").read_text()
    return [Row.model_validate(item) for item in yaml.safe_load(text)]


def run(row: Row, request: Request) -> None:
    """Run a row in a namespace of its own; raises DiffersError."""
    name = f"parity-{secrets.token_hex(4)}"
    base = f"namespaces/{name}"
    words = {
        "ns": name,
        "core": f"/api/v1/{base}",
        "apps": f"/apis/apps/v1/{base}",
        "rbac": f"/apis/rbac.authorization.k8s.io/v1/{base}",
        "long": _LONG,
    }
    made = json.dumps({"metadata": {"name": name}}).encode()
    headers = {"Content-Type": "application/json"}
    code, body = request("POST", "/api/v1/namespaces", made, headers)
    if code != 201:
        raise DiffersError(f"the namespace: {code} {body[:200]!r}")
    try:
        for step in row.steps:
            _step(step, words, request)
    finally:
        request("DELETE", f"/api/v1/namespaces/{name}", None, {})


def _step(step: Step, words: dict[str, str], request: Request) -> None:
    answer = _awaited(step, words, request) if step.wait else _answer(step, words, request)
    for name in step.keep:
        answer = answer[name]
    if step.keep:
        words["kept"] = answer


def _awaited(step: Step, words: dict[str, str], request: Request) -> Any:
    """Return the answer once it is right: nothing tells when a server knows of a new binding."""

    def ask() -> Any:
        try:
            return _answer(step, words, request)
        except DiffersError as error:
            return NotYet(str(error))

    try:
        return ask_again(step.do, ask, _WAIT)
    except DeadlineExpired as error:
        raise DiffersError(str(error)) from error


def _answer(step: Step, words: dict[str, str], request: Request) -> Any:
    method, path = _filled(step.do, words).split(" ", 1)
    headers = {"Accept": "application/json"}
    if step.user:
        headers["Impersonate-User"] = step.user
    body = step.raw or ("" if step.send is None else json.dumps(_filled(step.send, words)))
    if body:
        headers["Content-Type"] = _KINDS[step.kind] if method == "PATCH" else "application/json"
    code, found = request(method, path, body.encode() or None, headers)
    if code != step.code:
        raise DiffersError(f"{step.do}: {code} rather than {step.code}: {found[:300]!r}")
    if step.has is None and not step.keep:
        return None
    answer = json.loads(found)
    _compare(answer, _filled(step.has or {}, words), step.do)
    return answer


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    return Template(value).substitute(words) if isinstance(value, str) else value


def _compare(got: Any, wanted: Any, where: str) -> None:
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            if not isinstance(got, dict) or name not in got:
                raise DiffersError(f"{where}: no {name}")
            _compare(got[name], value, f"{where}: {name}")
    elif isinstance(wanted, list):
        if not isinstance(got, list) or len(got) != len(wanted):
            raise DiffersError(f"{where}: {got!r} rather than {len(wanted)} items")
        for one, other in zip(got, wanted, strict=True):
            _compare(one, other, where)
    elif wanted == "*":
        if not got:
            raise DiffersError(f"{where}: empty")
    elif isinstance(wanted, str) and wanted.startswith("~"):
        if wanted[1:] not in str(got):
            raise DiffersError(f"{where}: {got!r} is without {wanted[1:]!r}")
    elif got != wanted:
        raise DiffersError(f"{where}: {got!r} rather than {wanted!r}")
