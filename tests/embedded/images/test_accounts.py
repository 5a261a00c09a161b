"""Groups of a user, from the accounts of an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.images.accounts import groups_of, primary_group
from embedded.images.model import Image, ImageConfig

PASSWD = "root:x:0:0::/root:/bin/sh\ndb:x:26:27::/:\nbroken\nodd:x:x:1::/:\n"
GROUP = "db:x:27:\nlogs:x:4:db,other\nkeys:x:101:db\nother:x:5:other\n\nbroken:x:y:db\n"


def image(*layers: Path) -> Image:
    config = ImageConfig(uid=0, gid=0)
    return Image(recipe="r", release="", digest="sha256:0", layers=layers, config=config)


def layer(path: Path, passwd: str = PASSWD, group: str = GROUP) -> Path:
    (path / "etc").mkdir(parents=True)
    (path / "etc/passwd").write_text(passwd)
    (path / "etc/group").write_text(group)
    return path


def test_groups_are_those_of_the_images_accounts(tmp_path: Path) -> None:
    """A user without an account has group 0, and none besides."""
    one = image(layer(tmp_path / "one"))
    assert (primary_group(one, 26), groups_of(one, 26)) == (27, (4, 101))
    assert (primary_group(one, 7), groups_of(one, 7)) == (0, ())
    assert (primary_group(one, 0), groups_of(one, 0)) == (0, ())


def test_the_topmost_layer_that_has_accounts_decides(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    above, below = layer(tmp_path / "above", "db:x:26:5::/:\n"), layer(tmp_path / "below")
    assert primary_group(image(tmp_path / "empty", above, below), 26) == 5
    assert primary_group(image(tmp_path / "empty"), 26) == 0


@pytest.mark.parametrize("target", ["{}/secret", "../../../../../{}/secret"])
def test_accounts_of_the_machine_are_not_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text(PASSWD)
    root = layer(tmp_path / "root")
    (root / "etc/passwd").unlink()
    (root / "etc/passwd").symlink_to(target.format(tmp_path))
    assert primary_group(image(root), 26) == 0
