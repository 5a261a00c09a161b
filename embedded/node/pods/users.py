"""The user of a container, of what its Pod and its image say.

Rules: Kubernetes API reference, PodSecurityContext and SecurityContext; texts are a kubelet's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from embedded.client import Json
from embedded.images.accounts import groups_of, primary_group
from embedded.images.model import Image
from embedded.node.volumes.ownership import Ownership, Rights
from embedded.runtime.model import Capability
from embedded.runtime.users import Ids


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


def require_there(user: User, there: Ids) -> None:
    """See that the box has `user`, unless it has one that may have any number.

    Raises UserError.
    """
    if not there.several:
        return
    asked = {"user": (user.uid,), "group": (user.gid, *user.groups)}
    for what, numbers in asked.items():
        for number in numbers:
            if number not in there:
                raise UserError(
                    f"the embedded platform has no {what} {number}: it has {there}; ask for another"
                )


def capabilities_of(container: Json, user: User) -> tuple[Capability, ...]:
    """Return those that `container` has: none unless it is root's, and then not what it drops."""
    if user.uid != 0:
        return ()
    given = _context(container).get("capabilities") or {}
    drop, add = (_names(given.get(name) or []) for name in ("drop", "add"))
    every = "ALL" in drop and "ALL" not in add
    return tuple(
        each for each in Capability if each.name in add or not (every or each.name in drop)
    )


def _names(given: list[str]) -> frozenset[str]:
    return frozenset(name.upper().removeprefix("CAP_") for name in given)


def ownership_of(pod: Json, users: Iterable[User], there: Ids) -> Ownership:
    """Return the owners of a Pod's volumes.

    `users` are those of its containers, `there` those of the box. One that the box has not owns
    nothing: its containers are refused.
    """
    group, user = (
        None if number is None or (there.several and number not in there) else number
        for number in (_fs_group(pod), _fs_user(pod))
    )
    others = Rights.OTHERS if group is None else Rights.GROUP
    return Ownership(
        several=there.several,
        rights=min((max(_rights(each), others) for each in users), default=others),
        group=group,
        user=user,
        once=_context(pod).get("fsGroupChangePolicy") == "OnRootMismatch",
    )


def _rights(user: User) -> Rights:
    if user.uid == 0:
        return Rights.OWNER
    return Rights.GROUP if 0 in (user.gid, *user.groups) else Rights.OTHERS


def _fs_group(pod: Json) -> int | None:
    group = _context(pod).get("fsGroup")
    return None if group is None else int(group)


def _fs_user(pod: Json) -> int | None:
    """Return the user that every container is told to run as; None where they differ."""
    spec = pod["spec"]
    asked = {
        (_context(pod) | _context(container)).get("runAsUser")
        for container in (*(spec.get("initContainers") or []), *spec["containers"])
    }
    (user, *others) = asked
    return None if others or user is None else int(user)


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
    group = _fs_group(pod)
    if group is not None:
        given.append(group)
    # The default policy, Merge, adds those of the image.
    own = () if context.get("supplementalGroupsPolicy") == "Strict" else groups_of(image, uid)
    return tuple(dict.fromkeys((*given, *own)))
