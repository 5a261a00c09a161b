"""The user of a container, of what its Pod and its image say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embedded.images.model import Image, ImageConfig
from embedded.node.pods.users import User, UserError, user_of
from tests.embedded.node.cluster import Json, pod

WHERE = '(pod: "db-0_ns(u-1)", container: app)'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("db:x:26:27::/:\npool:x:1001:1002::/:\n")
    (tmp_path / "etc/group").write_text("logs:x:4:pool\nkeys:x:5:db,pool\n")
    return tmp_path


def image(root: Path, uid: int = 26, gid: int = 27, user: str = "") -> Image:
    config = ImageConfig(uid=uid, gid=gid, user=user)
    return Image(recipe="r", release="", digest="sha256:0", layers=(root,), config=config)


def user(found: Image, context: Json | None = None, own: Json | None = None) -> User:
    container: Json = {"name": "app", "image": "x"}
    container |= {} if own is None else {"securityContext": own}
    spec: Any = {} if context is None else {"securityContext": context}
    return user_of(pod(containers=[container], **spec), container, found)


def test_the_images_user_is_the_default(root: Path) -> None:
    assert user(image(root)) == User(uid=26, gid=27, groups=(5,))
    assert user(image(root), {}, {}) == User(uid=26, gid=27, groups=(5,))


def test_the_container_goes_over_its_pod(root: Path) -> None:
    context = {"runAsUser": 7, "runAsGroup": 8}
    assert user(image(root), context) == User(uid=7, gid=8)
    assert user(image(root), context, {"runAsUser": 9}) == User(uid=9, gid=8)
    assert user(image(root), context, {"runAsUser": None, "runAsGroup": 0}) == User(uid=7, gid=0)


def test_another_user_has_its_own_group_of_the_image(root: Path) -> None:
    """Not the one of the image's USER; 0 where the image has no such account."""
    assert user(image(root), {"runAsUser": 1001}) == User(uid=1001, gid=1002, groups=(4, 5))
    assert user(image(root), {"runAsUser": 70}) == User(uid=70, gid=0)


def test_groups_of_the_pod_come_first_and_each_once(root: Path) -> None:
    context = {"runAsUser": 1001, "fsGroup": 5, "supplementalGroups": [9, 4]}
    assert user(image(root), context).groups == (9, 4, 5)
    strict = context | {"supplementalGroupsPolicy": "Strict", "supplementalGroups": [9]}
    assert user(image(root), strict).groups == (9, 5)


@pytest.mark.parametrize(
    ("found", "context", "why"),
    [
        ((0, 0), None, "container has runAsNonRoot and image will run as root"),
        ((26, 27), {"runAsUser": 0}, "container's runAsUser breaks non-root policy"),
        (
            (26, 27, "postgres"),
            None,
            "container has runAsNonRoot and image has non-numeric user (postgres), "
            "cannot verify user is non-root",
        ),
        (
            (0, 0, "root"),
            None,
            "container has runAsNonRoot and image has non-numeric user (root), "
            "cannot verify user is non-root",
        ),
    ],
)
def test_root_is_refused_where_it_is_forbidden(
    root: Path, found: tuple[Any, ...], context: Json | None, why: str
) -> None:
    one = image(root, *found)
    with pytest.raises(UserError) as refused:
        user(one, {"runAsNonRoot": True}, context)
    assert str(refused.value) == f"{why} {WHERE}"
    assert user(one, {"runAsNonRoot": True}, (context or {}) | {"runAsNonRoot": False})
    assert user(one, {"runAsNonRoot": True}, {"runAsUser": 7}).uid == 7
