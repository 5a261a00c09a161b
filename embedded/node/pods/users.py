"""The user of a container, of what its Pod and its image say.

Rules: Kubernetes API reference, PodSecurityContext and SecurityContext; texts are a kubelet's.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedded.client import Json
from embedded.images.accounts import groups_of, primary_group
from embedded.images.model import Image


class UserError(Exception):
    """A container may not run as the user that it would have; the message says why."""


@dataclass(frozen=True, kw_only=True)
class User:
    """Numbers of a user and its group, and of the groups besides."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def user_of(pod: Json, container: Json, image: Image) -> User:
    """Return the user of `container`. Raises UserError where `runAsNonRoot` forbids it."""
    context = _context(pod) | _context(container)
    asked = context.get("runAsUser")
    uid = image.config.uid if asked is None else int(asked)
    if context.get("runAsNonRoot"):
        _require_not_root(pod, container, image, None if asked is None else uid)
    gid = context.get("runAsGroup")
    if gid is None:
        gid = image.config.gid if asked is None else primary_group(image, uid)
    return User(uid=uid, gid=int(gid), groups=_groups(pod, image, uid))


def fs_group(pod: Json) -> int | None:
    """Return the group that a Pod's volumes are given to; None where it names none."""
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return None if group is None else int(group)


def _context(part: Json) -> Json:
    given = (part.get("spec") or part).get("securityContext") or {}
    return {name: value for name, value in given.items() if value is not None}


def _require_not_root(pod: Json, container: Json, image: Image, asked: int | None) -> None:
    metadata = pod["metadata"]
    place = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    where = f'(pod: "{place}", container: {container["name"]})'
    if asked == 0:
        raise UserError(f"container's runAsUser breaks non-root policy {where}")
    if asked is not None:
        return
    if image.config.user:
        raise UserError(
            f"container has runAsNonRoot and image has non-numeric user ({image.config.user}), "
            f"cannot verify user is non-root {where}"
        )
    if image.config.uid == 0:
        raise UserError(f"container has runAsNonRoot and image will run as root {where}")


def _groups(pod: Json, image: Image, uid: int) -> tuple[int, ...]:
    context = _context(pod)
    given = [int(group) for group in context.get("supplementalGroups") or []]
    group = fs_group(pod)
    if group is not None:
        given.append(group)
    # The default policy, Merge, adds those of the image.
    own = () if context.get("supplementalGroupsPolicy") == "Strict" else groups_of(image, uid)
    return tuple(dict.fromkeys((*given, *own)))
