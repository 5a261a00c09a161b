"""An image is what its file says, whole and for this machine, or it is refused in one line."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded.architecture import architecture
from embedded.images.cache import ImageError
from embedded.images.model import Image
from embedded.images.oci import source, store
from embedded.images.oci.source import FileSource
from tests.embedded.images.oci import making
from tests.embedded.images.oci.making import MANIFEST, Made, layer

PASSWD = "root:x:0:0:root:/root:/bin/sh\npostgres:x:26:27:PostgreSQL:/var/lib/pgsql:/bin/sh\nodd\n"
GROUP = "root:x:0:\npostgres:x:27:\npooler:x:1001:postgres\n"
ACCOUNTS = layer(("etc/passwd", PASSWD.encode()), ("etc/group", GROUP.encode()))
OTHER_MACHINE = "riscv64"


def ensure(text: str, folder: Path) -> Image:
    """The image of a source as a user writes it, in a cache below `folder`."""
    wanted = source.parse(text, folder)
    assert isinstance(wanted, FileSource)
    return store.ensure(wanted, folder / "cache")


def refusal(text: str, folder: Path) -> str:
    with pytest.raises(ImageError) as refused:
        ensure(text, folder)
    said = str(refused.value)
    assert said.startswith("images: ")
    assert "\n" not in said
    left = folder / "cache"
    assert not left.exists() or [path.name for path in left.iterdir()] == ["lock"]
    return said


def write(made: Made, folder: Path, form: str) -> str:
    """Write an image in a form; returns the source."""
    if form == "docker-archive":
        making.write_saved(made, folder / "a.tar")
    else:
        making.write_layout(made, folder / "layout")
        making.tar_of(folder / "layout", folder / "a.tar")
    if form.endswith("gz"):
        (folder / "a.tar").write_bytes(gzip.compress((folder / "a.tar").read_bytes()))
        form = form.removesuffix("+gz")
    return f"{form}:{'layout' if form == 'oci' else 'a.tar'}"


FORMS = ("oci", "oci-archive", "oci-archive+gz", "docker-archive")


@pytest.mark.parametrize("form", FORMS)
def test_an_image_is_taken_from_any_form(tmp_path: Path, form: str) -> None:
    """Layers in their order, and the defaults of containers."""
    config = {
        "User": "postgres",
        "Env": ["PATH=/bin", "EMPTY=", "A=b=c"],
        "Entrypoint": ["/entry"],
        "Cmd": ["one", "two"],
        "WorkingDir": "/made/here",
    }
    made = making.image(
        layer(("a", b"1"), ("b", b"1")), ACCOUNTS, layer(("b", b"2")), config=config
    )
    image = ensure(write(made, tmp_path, form), tmp_path)
    (root,) = image.layers
    assert [(root / name).read_bytes() for name in "ab"] == [b"1", b"2"]
    assert image.digest == (made.config if form == "docker-archive" else made.manifest)
    assert (image.config.uid, image.config.gid) == (26, 27)
    env = {"PATH": "/bin", "EMPTY": "", "A": "b=c", "HOME": "/var/lib/pgsql"}
    assert image.config.env == env
    assert (image.config.entrypoint, image.config.command) == (("/entry",), ("one", "two"))
    assert image.config.cwd == "/made/here"
    assert (root / "made/here").is_dir()
    assert {"dev", "proc", "tmp", "etc"} <= {path.name for path in root.iterdir()}


def test_an_image_is_unpacked_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For all forms that have one digest, and for several runs at once."""
    made = making.image(layer(("a", b"1")))
    write(made, tmp_path, "oci-archive")
    program = (
        "import logging, sys; from pathlib import Path\n"
        "from tests.embedded.images.oci.test_sources import ensure\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "ensure(sys.argv[1], Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program]
    runs = [
        subprocess.Popen(
            [*command, text, str(tmp_path)], stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        for text in ("oci:layout", "oci-archive:a.tar", "oci:layout")
    ]
    said = "".join(run.communicate(timeout=60)[1] for run in runs)
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert said.count("unpacking 1 layers, once") == 1
    assert ensure("oci:layout", tmp_path).layers == ensure("oci-archive:a.tar", tmp_path).layers


@pytest.mark.parametrize(
    ("user", "ids", "name"),
    [
        ("", (0, 0), ""),
        (None, (0, 0), ""),
        ("26", (26, 27), ""),
        ("26:0", (26, 0), ""),
        ("7", (7, 0), ""),
        ("7:8", (7, 8), ""),
        ("postgres:pooler", (26, 1001), "postgres"),
    ],
)
def test_users_are_looked_up_in_the_images_accounts(
    tmp_path: Path, user: str | None, ids: tuple[int, int], name: str
) -> None:
    config = None if user is None else {"User": user, "Env": None, "Cmd": None}
    image = ensure(write(making.image(ACCOUNTS, config=config), tmp_path, "oci"), tmp_path)
    assert (image.config.uid, image.config.gid) == ids
    assert image.config.user == name


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"User": "nobody-there"}, "USER 'nobody-there' is in no line of its /etc/passwd"),
        ({"User": "26:none"}, "USER has the group 'none', in no line of its /etc/group"),
        ({"User": "99999999999"}, "USER '99999999999' is in no line"),
        ({"User": "-1"}, "USER '-1' is in no line"),
        ({"Env": ["=x"]}, "'=x' is no variable"),
        ({"WorkingDir": "/a/../../b"}, "a path that leads out"),
        ({"WorkingDir": "/etc/passwd"}, "WorkingDir '/etc/passwd': Not a directory"),
        ({"Cmd": "sleep"}, "config.Cmd: "),
    ],
)
def test_defaults_that_cannot_be_had_are_said(
    tmp_path: Path, config: dict[str, Any], why: str
) -> None:
    assert why in refusal(write(making.image(ACCOUNTS, config=config), tmp_path, "oci"), tmp_path)


def test_accounts_are_never_read_from_the_machine(tmp_path: Path) -> None:
    """Through a link, that is."""
    made = making.image(
        layer(making.link("etc/passwd", "/../../../../../../etc/passwd")), config={"User": "daemon"}
    )
    assert "is in no line of its" in refusal(write(made, tmp_path, "oci"), tmp_path)


def of_two_machines() -> Made:
    """An index within an index, as builders for several platforms write it."""
    other = making.image(layer(("a", b"other")), machine=OTHER_MACHINE)
    made = making.image(layer(("a", b"ours")))
    made.blobs |= other.blobs
    rows = [
        made.descriptor(other.manifest, MANIFEST, platform={"os": "linux", "architecture": arch})
        for arch in (OTHER_MACHINE, "unknown")
    ]
    ours = {"os": "linux", "architecture": architecture(), "variant": "v8"}
    rows.append(made.descriptor(made.manifest, MANIFEST, platform=ours))
    made.manifest = made.index(rows)
    return made


def test_the_image_for_this_machine_is_chosen(tmp_path: Path) -> None:
    made = of_two_machines()
    key = {"one": made.descriptor(made.manifest, making.INDEX)}
    making.write_layout(made, tmp_path / "layout", key)
    image = ensure("oci:layout:one", tmp_path)
    assert (image.layers[0] / "a").read_bytes() == b"ours"
    assert image.indexes == (made.manifest,)
    assert image.digest not in image.indexes


@pytest.mark.parametrize("form", FORMS)
def test_an_image_for_another_machine_is_refused(tmp_path: Path, form: str) -> None:
    made = making.image(layer(("a", b"1")), machine=OTHER_MACHINE)
    said = refusal(write(made, tmp_path, form), tmp_path)
    assert f"is for linux/{OTHER_MACHINE}; this machine is linux/{architecture()}" in said


def test_an_index_without_this_machine_is_refused(tmp_path: Path) -> None:
    made = making.image(layer(("a", b"1")))
    windows = {"os": "windows", "architecture": architecture()}
    made.manifest = made.index([made.descriptor(made.manifest, MANIFEST, platform=windows)])
    making.write_layout(
        made, tmp_path / "layout", {"x": made.descriptor(made.manifest, making.INDEX)}
    )
    assert f"is for windows/{architecture()}; this" in refusal("oci:layout", tmp_path)


def test_one_of_several_is_taken_by_its_name(tmp_path: Path) -> None:
    one, two = (making.image(layer(("a", text))) for text in (b"1", b"2"))
    one.blobs |= two.blobs
    names = {"1.0": one.descriptor(one.manifest, MANIFEST)}
    names["2.0"] = one.descriptor(two.manifest, MANIFEST)
    making.write_layout(one, tmp_path / "layout", names)
    making.tar_of(tmp_path / "layout", tmp_path / "a.tar")
    for text in ("oci:layout", "oci-archive:a.tar"):
        assert "several images, or none; write one after a colon: 1.0, 2.0" in refusal(
            text, tmp_path
        )
        assert "no image is called '3'; write one" in refusal(f"{text}:3", tmp_path)
    digests = {ensure(f"oci:layout:{name}", tmp_path).digest for name in names}
    assert digests == {one.manifest, two.manifest}
    saved = making.write_saved(one, tmp_path / "s.tar", ("docker.io/library/web:1",))
    assert ensure(f"docker-archive:{saved}:web:1", tmp_path).digest == one.config
    with pytest.raises(ImageError, match=r"no image is called 'web:2'; .*docker\.io/library/web:1"):
        ensure(f"docker-archive:{saved}:web:2", tmp_path)


def test_what_old_versions_of_docker_saved_has_links(tmp_path: Path) -> None:
    """Where layers are the same; and the digests are compared all the same."""
    one = layer(("a", b"1"))
    made = making.image(one, one)
    name = made.config.removeprefix("sha256:")
    saved = [{"Config": f"{name}.json", "RepoTags": None, "Layers": ["0/layer.tar", "1/layer.tar"]}]
    parts: Any = [
        ("0/layer.tar", one),
        making.link("1/layer.tar", "../0/layer.tar"),
        (f"{name}.json", made.blobs[made.config]),
        ("manifest.json", json.dumps(saved).encode()),
    ]
    (tmp_path / "a.tar").write_bytes(layer(*parts))
    assert ensure("docker-archive:a.tar", tmp_path).digest == made.config
    parts[1] = making.link("1/layer.tar", "/etc/passwd")
    (tmp_path / "b.tar").write_bytes(layer(*parts))
    with pytest.raises(ImageError, match=r"is incomplete: the layer '1/layer.tar' is missing"):
        store.ensure(
            FileSource(transport=source.Transport.DOCKER_ARCHIVE, path=tmp_path / "b.tar"),
            tmp_path / "other",
        )


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("form", ["oci-archive", "oci-archive+gz", "docker-archive"])
def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path, form: str) -> None:
    text = write(making.image(layer(("a", bytes(range(256)) * 4000))), tmp_path, form)
    _cut(tmp_path / "a.tar")
    said = refusal(text, tmp_path)
    assert "cut off" in said or "is no OCI layout" in said or "nothing that `docker save`" in said


def _damaged(made: Made, digest: str, change: Callable[[bytes], bytes]) -> Made:
    made.blobs[digest] = change(made.blobs[digest])
    return made


def _flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


DAMAGES: dict[str, tuple[Callable[[Made], str], Callable[[bytes], bytes], str]] = {
    "a layer with another byte": (lambda m: _layer_of(m), _flipped, "damaged"),
    "a layer cut off": (lambda m: _layer_of(m), lambda b: b[:-20], "cut off"),
    "a longer layer": (lambda m: _layer_of(m), lambda b: b + b"x" * 4096, "than the"),
    "a manifest with another byte": (
        lambda m: m.manifest, lambda b: b.replace(b"2", b"3"), "is damaged: its digest is"
    ),
    "a configuration with another byte": (
        lambda m: m.config, lambda b: b.replace(b"l", b"L"), "is damaged: its digest is"
    ),
}  # fmt: skip


def _layer_of(made: Made) -> str:
    (found,) = made.blobs.keys() - {made.manifest, made.config}
    return found


@pytest.mark.parametrize(("which", "change", "why"), DAMAGES.values(), ids=DAMAGES)
def test_a_blob_that_is_not_what_its_digest_says_is_refused(
    tmp_path: Path,
    which: Callable[[Made], str],
    change: Callable[[bytes], bytes],
    why: str,
) -> None:
    made = making.image(layer(("a", b"1" * 5000)))
    _damaged(made, which(made), change)
    said = refusal(write(made, tmp_path, "oci"), tmp_path)
    assert why in said


def test_a_saved_layer_that_is_another_is_refused(tmp_path: Path) -> None:
    made = making.image(layer(("a", b"1")))
    made.layers = [layer(("a", b"2"))]
    said = refusal(write(made, tmp_path, "docker-archive"), tmp_path)
    assert "layer 0/layer.tar: is damaged: its digest is" in said


def test_a_blob_that_is_missing_is_said(tmp_path: Path) -> None:
    made = making.image(layer(("a", b"1")))
    gone = _layer_of(made)
    text = write(made, tmp_path, "oci")
    (tmp_path / "layout/blobs" / gone.replace(":", "/")).unlink()
    assert f"is incomplete: the blob {gone} is missing" in refusal(text, tmp_path)


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


NONSENSE: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "nothing there": ("oci-archive:a", lambda _: None, "there is no"),
    "a directory": ("oci-archive:a", lambda p: (p / "a").mkdir(), "is a directory"),
    "a file": ("oci:a", lambda p: _written(p / "a", ""), "is no directory"),
    "an empty file": ("docker-archive:a", lambda p: _written(p / "a", ""), "is no tar archive"),
    "a text": ("oci-archive:a", lambda p: _written(p / "a", "x" * 9999), "is no tar archive"),
    "an empty layout": ("oci:a", lambda p: (p / "a").mkdir(), "no OCI layout: there is no index"),
    "an index that is no JSON": (
        "oci:a", lambda p: _written(p / "a/index.json", "{"), "index.json: Invalid JSON"
    ),
    "an index of too much": (
        "oci:a", lambda p: _written(p / "a/index.json", "[" * (5 << 20)), "has more than the"
    ),
    "a digest that is a path": (
        "oci:a",
        lambda p: _written(
            p / "a/index.json", '{"manifests": [{"digest": "sha256:../../x", "size": 1}]}'
        ),
        "manifests.0.digest: ",
    ),
    "another archive": (
        "docker-archive:a", lambda p: (p / "a").write_bytes(layer(("x", b""))),
        "is nothing that `docker save` wrote: there is no manifest.json",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "make", "why"), NONSENSE.values(), ids=NONSENSE)
def test_what_holds_no_image_is_refused(
    tmp_path: Path, text: str, make: Callable[[Path], Any], why: str
) -> None:
    make(tmp_path)
    assert why in refusal(text, tmp_path)


def test_a_directory_is_a_root_file_system_as_it_is(tmp_path: Path) -> None:
    """Its digest is that of its files, so a change makes another image."""
    root = tmp_path / "root"
    _written(root / "bin/tool", "tool")
    (root / "bin/tool").chmod(0o755)
    (root / "sh").symlink_to("/bin/tool")
    first = ensure("dir:root", tmp_path)
    assert (first.layers[0] / "bin/tool").read_text() == "tool"
    assert (first.layers[0] / "bin/tool").stat().st_mode & 0o777 == 0o755
    assert (first.layers[0] / "sh").readlink() == Path("/bin/tool")
    assert first.config.env["PATH"].endswith(":/bin")
    assert ensure("dir:root", tmp_path).digest == first.digest
    (root / "bin/tool").write_text("other")
    second = ensure("dir:root", tmp_path)
    assert second.digest != first.digest
    assert (first.layers[0] / "bin/tool").read_text() == "tool"
