"""Pods of images that are had from files, two tags of one name side by side."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.announced import running
from tests.embedded.image_table import OPTIONS, first
from tests.embedded.images.oci import making
from tests.embedded.images.oci.making import layer
from tests.embedded.node.live.bench import Bench, in_phase, state_of, waits_for
from tests.embedded.node.live.conftest import connected, namespace

NAME = "registry.example/example/own"
SAY = b'#!/bin/sh\necho "$@" as "$(id -u):$(id -g)" in "$PWD" at "$HOME" with "$COLOUR"\n'


def root_file_system() -> bytes:
    """What the recipe of these tests makes, as one layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(first().layers[0], ".")
    return out.getvalue()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The announcement of a platform with 1.0 of an OCI layout, and 2.0 of `docker save`."""
    folder = tmp_path_factory.mktemp("images")
    base = root_file_system()
    config = {
        "User": "first",
        "Env": ["PATH=/usr/bin:/bin", "COLOUR=red"],
        "WorkingDir": "/made",
        "Entrypoint": ["/say", "version"],
        "Cmd": ["one"],
    }
    say = (making.entry("say", mode=0o755), SAY)
    old = making.image(base, layer(say), config=config, compress=bytes)
    making.write_layout(old, folder / "layout")
    above = layer(making.entry("usr/bin/.wh.perl"), say)
    owned = layer((making.entry("owned", mode=0o600, uid=77, gid=78), b"mine"))
    new = making.image(base, above, owned, config=config | {"Cmd": ["two"], "User": "77"})
    making.write_saved(new, folder / "saved.tar")
    sources = [
        f"--image-source={NAME}:1.0=oci:{folder}/layout",
        f"--image-source={NAME}=docker-archive:{folder}/saved.tar",
        "--image-source=example/another=recipe:test",
    ]
    with running("embedded", "up", "--json", *OPTIONS, *sources) as found:
        yield found | {"digests": (old.manifest, new.config), "folder": folder}


@pytest.fixture
def bench(own: dict[str, Any]) -> Iterator[Bench]:
    with connected(own) as api, namespace(own, api, f"{NAME}:1.0") as found:
        yield found


def said(bench: Bench, name: str, **container: Any) -> str:
    bench.pod(name, container=container, restartPolicy="Never")
    state_of(bench.wait(name, in_phase("Succeeded")))
    return str(bench.logs(name)).strip()


def test_two_tags_of_one_name_run_side_by_side(bench: Bench) -> None:
    """Each as its image says: user by name or number, directory, environment, program."""
    old = said(bench, "old")
    assert old == "version one as 26:26 in /made at /home/first with red"
    new = said(bench, "new", image=f"{NAME}:2.0")
    assert new == "version two as 77:0 in /made at / with red"
    assert said(bench, "perl", command=["ls", "/usr/bin/perl"]) == "/usr/bin/perl"
    script = ["sh", "-c", "ls /usr/bin/perl 2>&1 || true"]
    assert "No such file" in said(bench, "none", image=f"{NAME}:2.0", command=script)


def test_command_and_arguments_replace_entrypoint_and_cmd(bench: Bench) -> None:
    assert said(bench, "args", args=["other"]).startswith("version other as 26:26")
    assert said(bench, "command", command=["/say"]).startswith("as 26:26")
    both = said(bench, "both", command=["/say"], args=["$(COLOUR)"])
    assert both.startswith("red as 26:26")


def test_a_recipe_stands_in_where_it_is_named(bench: Bench) -> None:
    text = said(bench, "recipe", image="example/another:3", command=["openssl", "version"])
    assert text.startswith("OpenSSL ")


def test_files_of_an_image_keep_their_owners(bench: Bench) -> None:
    """Each is the only user's where there is one."""
    look = ["sh", "-c", "cat /owned; stat -c ' %u %g %a' /owned /say"]
    owner = "77 78" if os.geteuid() == 0 else "77 0"
    root = "0 0" if os.geteuid() == 0 else owner
    text = said(bench, "own", image=f"{NAME}:2.0", command=look)
    assert text.splitlines() == [f"mine {owner} 600", f" {root} 755"]
    other = {"securityContext": {"runAsUser": 70}, "command": ["sh", "-c", "cat /owned 2>&1; :"]}
    text = said(bench, "other", image=f"{NAME}:2.0", **other)
    assert ("Permission denied" in text) == (os.geteuid() == 0)


def test_a_digest_is_compared_with_the_images(bench: Bench, own: dict[str, Any]) -> None:
    """A Pod that names another one does not run; what a recipe makes has none to compare."""
    (old, new), neither = own["digests"], f"sha256:{'0' * 64}"
    assert said(bench, "old", image=f"{NAME}:1.0@{old}").startswith("version one")
    assert said(bench, "new", image=f"{NAME}:1.0@{new}").startswith("version two")
    bench.pod("other", container={"image": f"{NAME}:1.0@{neither}"})
    pod = bench.wait("other", lambda pod: "waiting" in state_of(pod))
    waiting = state_of(pod)["waiting"]
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff")
    message = f'Failed to pull image "{NAME}:1.0@{neither}": not found: '
    assert waiting["message"] == f"{message}oci:{own['folder']}/layout has the digest {old}"
    assert bench.event("other", "Failed")["message"] == waiting["message"]
    bench.wait("other", waits_for("ImagePullBackOff"))
    assert said(bench, "recipe", image=f"example/another@{neither}", command=["echo", "x"]) == "x"


def test_a_user_by_name_cannot_be_told_from_root(bench: Bench) -> None:
    context = {"runAsNonRoot": True}
    bench.pod("named", securityContext=context)
    pod = bench.wait("named", waits_for("CreateContainerConfigError"))
    why = "container has runAsNonRoot and image has non-numeric user (first), cannot verify user"
    assert state_of(pod)["waiting"]["message"].startswith(f"{why} is non-root (pod: ")
    assert bench.event("named", "Failed")["message"].startswith(f"Error: {why}")
    text = said(bench, "number", image=f"{NAME}:2.0", securityContext=context)
    assert text.startswith("version two as 77:0")


def test_the_announcement_tells_what_is_there_and_what_stands_in(own: dict[str, Any]) -> None:
    rows = {row["reference"]: row for row in own["images"]}
    assert [row["reference"] for row in own["images"]][:3] == [
        "example/own:1.0",
        "example/own",
        "example/another",
    ]
    found = rows["example/own:1.0"], rows["example/own"]
    assert tuple(row["digest"] for row in found) == own["digests"]
    assert [row["suite"] for row in found] == ["", ""]
    assert rows["example/own:1.0"]["recipe"] == f"oci:{own['folder']}/layout"
    assert rows["example/another"]["recipe"] == "test"
    assert rows["example/another"]["suite"]
    assert Path(own["kubeconfig"]).exists()
