"""Paths in a Pod's volumes, which never lead out of their volume."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from embedded.api.builtin.rules import required, wrong
from embedded.api.errors import Cause
from embedded.api.jsons import Json

_KEYED = ("secret", "configMap")


def check_volumes(spec: Json, path: str) -> Iterable[Cause]:
    """Yield the causes for which paths in the volumes of a Pod specification are refused."""
    for position, volume in enumerate(spec.get("volumes") or []):
        where = f"{path}.volumes[{position}]"
        yield from _check_source(volume, where)
        projected = volume.get("projected") or {}
        for number, source in enumerate(projected.get("sources") or []):
            yield from _check_source(source, f"{where}.projected.sources[{number}]")


def check_mount(mount: Json, path: str) -> Iterable[Cause]:
    """Yield the causes for which the mounted part of a volume is refused."""
    for name in ("subPath", "subPathExpr"):
        yield from _check_descending(mount.get(name) or "", f"{path}.{name}")


def _check_source(source: Json, path: str) -> Iterator[Cause]:
    for kind in (*_KEYED, "downwardAPI"):
        for position, item in enumerate((source.get(kind) or {}).get("items") or []):
            where = f"{path}.{kind}.items[{position}]"
            if kind in _KEYED and not item.get("key"):
                yield required(f"{where}.key")
            yield from _check_file(item.get("path"), f"{where}.path")
    token = source.get("serviceAccountToken")
    if token is not None:
        yield from _check_file(token.get("path"), f"{path}.serviceAccountToken.path")


def _check_file(value: str | None, field: str) -> Iterator[Cause]:
    if not value:
        yield required(field)
        return
    yield from _check_descending(value, field)
    # What begins so is the kubelet's own.
    if value.startswith("..") and not value.startswith("../"):
        yield wrong(field, value, "must not start with '..'")


def _check_descending(value: str, field: str) -> Iterator[Cause]:
    if value.startswith("/"):
        yield wrong(field, value, "must be a relative path")
    if ".." in value.split("/"):
        yield wrong(field, value, "must not contain '..'")
