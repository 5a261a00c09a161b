"""`metadata`: names, the stamps of a new object, and what no writer may change."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterable

from embedded.api import errors
from embedded.api.errors import ApiError, Cause
from embedded.api.jsons import Json
from embedded.api.resources import Resource
from embedded.timestamps import now

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_RULE = "a lowercase RFC 1123 label must consist of a-z, 0-9, '-'"
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[^/%]+")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5
_BASE = 63 - _SUFFIX
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
SERVICE_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character"
)
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def is_label(name: str) -> bool:
    """Return whether a name keeps `LABEL_RULE`, in at most 63 characters."""
    return len(name) <= 63 and _LABEL.fullmatch(name) is not None


def generated_name(base: str) -> str:
    """A name that begins with `generateName`."""
    return base[:_BASE] + "".join(random.choices(_ALPHABET, k=_SUFFIX))  # noqa: S311 no secret


def stamp(resource: Resource, meta: Json) -> None:
    """Write the metadata that the server alone gives to a new object."""
    for name in ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        meta.pop(name, None)
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = now()
    if resource.generation:
        meta["generation"] = 1


def place(resource: Resource, obj: Json, namespace: str, name: str = "") -> None:
    """Put an object where its request says; raises ApiError 400 where the two disagree."""
    meta = obj.setdefault("metadata", {})
    if name and meta.setdefault("name", name) != name:
        raise errors.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        )
    if not resource.namespaced:
        meta.pop("namespace", None)
    elif not namespace:
        raise errors.bad_request("an empty namespace may not be set during creation")
    elif meta.setdefault("namespace", namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def keep(resource: Resource, new: Json, old: Json) -> None:
    """Carry over what a write cannot change.

    Raises ApiError 409 for another version or uid, 422 for a version that is none, or none where
    the kind demands one.
    """
    meta, before = new["metadata"], old["metadata"]
    subject = resource.subject(before["name"])
    version = meta.get("resourceVersion")
    if meta.get("uid") not in (None, "", before["uid"]):
        why = (
            f"Precondition failed: UID in precondition: {meta['uid']}, "
            f"UID in object meta: {before['uid']}"
        )
        raise errors.conflict(subject, why)
    if version in (None, "", "0"):
        if not resource.unconditional:
            raise _no_version(resource, before["name"])
    elif version != before["resourceVersion"]:
        if not str(version).isdecimal():
            why = f'Invalid value: "{version}": must be an unsigned integer'
            raise errors.invalid(
                subject,
                [Cause(field="metadata.resourceVersion", reason="FieldValueInvalid", message=why)],
            )
        raise modified(subject)
    meta["resourceVersion"] = before["resourceVersion"]
    meta.pop("selfLink", None)
    for name in (*_KEPT, "generation"):
        if name in before:
            meta[name] = before[name]
        else:
            meta.pop(name, None)
    if before.get("generateName"):
        meta.setdefault("generateName", before["generateName"])


def _no_version(resource: Resource, name: str) -> ApiError:
    why = "Invalid value: 0x0: must be specified for an update"
    cause = Cause(field="metadata.resourceVersion", reason="FieldValueInvalid", message=why)
    # Of all refusals this one has the plural where the kind is due.
    subject = errors.Subject(resource.group, resource.plural, resource.plural, name)
    return errors.invalid(subject, [cause])


def modified(subject: errors.Subject) -> ApiError:
    """409: somebody else was quicker."""
    why = (
        "the object has been modified; please apply your changes to the latest version and try "
        "again"
    )
    return errors.conflict(subject, why)


def check(resource: Resource, meta: Json, old: Json | None) -> Iterable[Cause]:
    """Yield the causes for which the metadata is refused."""
    if old is None:
        yield from _check_name(resource, meta.get("name", ""))
    yield from _check_labels(meta.get("labels") or {})
    for name in meta.get("annotations") or {}:
        if not _LABEL_KEY.fullmatch(name.lower()):
            yield _wrong("metadata.annotations", name, "name part must be a qualified name")
    for position, owner in enumerate(meta.get("ownerReferences") or []):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                where = f"metadata.ownerReferences[{position}].{name}"
                yield Cause(field=where, reason="FieldValueInvalid", message="must not be empty")
    if old is not None and old["metadata"].get("deletionTimestamp"):
        added = set(meta.get("finalizers") or []) - set(old["metadata"].get("finalizers") or [])
        if added:
            text = (
                "Forbidden: no new finalizers can be added if the object is being deleted, "
                f"found new finalizers {sorted(added)}"
            )
            yield Cause(field="metadata.finalizers", reason="FieldValueForbidden", message=text)


def _check_name(resource: Resource, name: str) -> Iterable[Cause]:
    if not name:
        text = "Required value: name or generateName is required"
        yield Cause(field="metadata.name", reason="FieldValueRequired", message=text)
        return
    if resource.group == "rbac.authorization.k8s.io":
        pattern, limit, words = _PATH_SEGMENT, 253, "may not contain '/' or '%'"
    elif not resource.custom and resource.plural == "services":
        pattern, limit, words = _SERVICE, 63, SERVICE_RULE
    elif not resource.custom and resource.plural == "namespaces":
        pattern, limit, words = _LABEL, 63, LABEL_RULE
    else:
        words = "a lowercase RFC 1123 subdomain must consist of a-z, 0-9, '-' or '.'"
        pattern, limit = _SUBDOMAIN, 253
    if not pattern.fullmatch(name) or len(name) > limit:
        yield _wrong("metadata.name", name, words)


def _check_labels(labels: Json) -> Iterable[Cause]:
    for name, value in labels.items():
        if not _LABEL_KEY.fullmatch(name):
            yield _wrong("metadata.labels", name, "name part must be a qualified name")
        if not _LABEL_VALUE.fullmatch(value) or len(value) > 63:
            text = (
                "a valid label must be empty or consist of alphanumeric characters, '-', '_', '.'"
            )
            yield _wrong("metadata.labels", value, text)


def _wrong(field: str, value: str, words: str) -> Cause:
    return Cause(
        field=field, reason="FieldValueInvalid", message=f'Invalid value: "{value}": {words}'
    )
