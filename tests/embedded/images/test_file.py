"""A file of images that cannot be used is refused in one line that says where in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedded.images.file import ImageFileError, load
from embedded.images.recipe import RELEASES

BAD = {
    "not YAML": ("recipes: [", "line 1: "),
    "nothing": ("", "Input should be a valid dictionary"),
    "no images": ('{"recipes": {}}', "images: Field required"),
    "an unknown field": (
        '{"recipes": {"a": {"package": []}}, "images": {}}',
        "recipes.a.package: Extra inputs are not permitted",
    ),
    "an unknown recipe": (
        '{"recipes": {"a": {}}, "images": {"x": "b"}}',
        "images.x: no recipe 'b'; there are: a",
    ),
    "no recipe at all": ('{"recipes": {}, "images": {"x": "b"}}', "no recipe 'b'; there are: none"),
    "a name that leads elsewhere": (
        '{"recipes": {"../a": {}}, "images": {}}',
        "recipes.../a.[key]: '../a' is not a name",
    ),
    "a package that is an option": (
        '{"recipes": {"a": {"packages": ["--x"]}}, "images": {}}',
        "recipes.a.packages.0: '--x' is not the name of a Debian package",
    ),
    "a relative path": (
        '{"recipes": {"a": {"directories": ["srv"]}}, "images": {}}',
        "recipes.a.directories.0: 'srv' is not an absolute path in the image",
    ),
    "a path that leads out": (
        '{"recipes": {"a": {"files": {"/../etc/passwd": "x"}}}, "images": {}}',
        "'/../etc/passwd' is not an absolute path in the image",
    ),
    "a prune that leads out": (
        '{"recipes": {"a": {"prune": ["../../etc"]}}, "images": {}}',
        "recipes.a.prune.0: '../../etc' is not a shell pattern",
    ),
    "a file that is not there": (
        '{"recipes": {"a": {"files": {"/x": "missing"}}}, "images": {}}',
        "recipes.a.files./x: {directory}/missing is not a file",
    ),
    "a layer that is not there": (
        '{"recipes": {"a": {}},'
        ' "images": {"x": {"recipe": "a", "layer": {"directory": "/x", "source": "missing"}}}}',
        "images.x.layer: {directory}/missing is not a directory",
    ),
    "an empty command": (
        '{"recipes": {"a": {"commands": [[]]}}, "images": {}}',
        "recipes.a.commands.0: ",
    ),
    "a uid that is none": (
        '{"recipes": {"a": {"uid": -1}}, "images": {}}',
        "recipes.a.uid: ",
    ),
}


@pytest.mark.parametrize(("text", "why"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "images.yaml"
    file.write_text(text)
    with pytest.raises(ImageFileError) as refusal:
        load(file)
    said = str(refusal.value)
    assert said.startswith(f"{file}: ")
    assert why.replace("{directory}", str(tmp_path)) in said
    assert "\n" not in said


def test_json_will_do(tmp_path: Path) -> None:
    """And what an image does not say is its recipe's."""
    file = tmp_path / "images.json"
    recipe = {"packages": ["busybox"], "uid": 7, "env": {"A": "1", "B": "1"}, "command": ["a"]}
    changed = {"recipe": "one", "env": {"B": "2"}, "gid": 8}
    images = {"a": "one", "b": changed, "c": {"recipe": "one", "command": []}}
    file.write_text(json.dumps({"recipes": {"one": recipe}, "images": images}))
    one, changed_source, bare = load(file)(RELEASES["bookworm"])
    assert one.patterns == ("a",)
    assert "busybox" in one.recipe.packages
    assert one.config
    assert changed_source.config
    assert bare.config
    assert (one.config.uid, one.config.gid, one.config.command) == (7, 7, ("a",))
    assert (changed_source.config.uid, changed_source.config.gid) == (7, 8)
    assert {"A": "1", "B": "2"}.items() <= changed_source.config.env.items()
    assert bare.config.command == ()
