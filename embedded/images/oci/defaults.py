"""What a container of an image runs as, from the image's configuration and its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from embedded.images.cache import ImageError
from embedded.images.model import ImageConfig
from embedded.images.oci.documents import ContainerDefaults
from embedded.images.oci.tree import Tree

_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True)
class _Account:
    name: str
    uid: int
    gid: int
    home: str


def config_of(defaults: ContainerDefaults, tree: Tree, what: str) -> ImageConfig:
    """Return the defaults of a container, with USER looked up in the accounts of `tree`.

    Raises ImageError for a user or group that has no account.
    """
    env = dict(_variables(defaults.env, what))
    user, _, group = defaults.user.partition(":")
    account = _account(user or "0", tree, what)
    gid = _group(group, tree, what) if group else account.gid
    if account.home:
        env.setdefault("HOME", account.home)
    return ImageConfig(
        uid=account.uid,
        gid=gid,
        env=env,
        cwd=_working_directory(defaults, tree, what),
        entrypoint=defaults.entrypoint,
        command=defaults.cmd,
        user="" if _number(user or "0") is not None else user,
    )


def _variables(lines: tuple[str, ...], what: str) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, equals, value = line.partition("=")
        if not name or "\0" in line:
            raise ImageError(f"{what}: configuration: {line[:80]!r} is no variable NAME=VALUE")
        if equals:
            yield name, value


def _working_directory(defaults: ContainerDefaults, tree: Tree, what: str) -> str:
    given = defaults.working_dir or "/"
    if "\0" in given:
        raise ImageError(f"{what}: configuration: WorkingDir {given[:80]!r} is no path")
    # As a runtime does, it is made where the image lacks it.
    try:
        with tree.directory(tree.clean(given), make=True):
            return given if given.startswith("/") else f"/{given}"
    except OSError as error:
        text = f"configuration: WorkingDir {given[:80]!r}: {error.strerror}"
        raise ImageError(f"{what}: {text}") from error


def _account(user: str, tree: Tree, what: str) -> _Account:
    accounts = list(_accounts(tree))
    number = _number(user)
    for one in accounts:
        if one.name == user or one.uid == number:
            return one
    if number is None:
        text = f"configuration: USER {user[:80]!r} is in no line of its /etc/passwd"
        raise ImageError(f"{what}: {text}")
    return _Account(name="", uid=number, gid=0, home="")


def _group(group: str, tree: Tree, what: str) -> int:
    for line in tree.text("etc/group").splitlines():
        fields = line.split(":")
        number = _number(fields[2]) if len(fields) > 2 else None
        if number is not None and fields[0] == group:
            return number
    number = _number(group)
    if number is None:
        text = f"configuration: USER has the group {group[:80]!r}, in no line of its /etc/group"
        raise ImageError(f"{what}: {text}")
    return number


def _accounts(tree: Tree) -> Iterator[_Account]:
    for line in tree.text("etc/passwd").splitlines():
        match line.split(":"):
            case [name, _, uid, gid, _, home, *_]:
                numbers = _number(uid), _number(gid)
                if numbers[0] is not None and numbers[1] is not None:
                    yield _Account(name, numbers[0], numbers[1], home)


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return None
    return number if (number := int(text)) <= _LARGEST_ID else None
