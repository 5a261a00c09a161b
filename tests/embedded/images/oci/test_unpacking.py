"""Layers lie one over the other as the image's maker meant it, and never outside the image."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from embedded.images.cache import ImageError
from embedded.images.oci import store
from embedded.images.oci.blobs import Budget
from embedded.images.oci.source import FileSource, Transport
from embedded.images.oci.tree import Tree
from embedded.images.oci.unpack import Unpacker
from embedded.images.owners import BOX_UID
from tests.embedded.images.oci import making
from tests.embedded.images.oci.making import directory, entry, hard_link, layer, link


def unpack(root: Path, *layers: bytes, budget: Budget | None = None) -> Unpacker:
    root.mkdir(exist_ok=True)
    tree = Tree(root, "images: x")
    try:
        unpacker = Unpacker(tree, budget or Budget())
        for one in layers:
            unpacker.apply(io.BytesIO(one), "images: x: layer")
        return unpacker
    finally:
        tree.close()


def test_a_layer_lies_over_the_ones_below(tmp_path: Path) -> None:
    """With modes and times; what is changed has no share in what it was a hard link of."""
    below = layer(
        directory("etc"),
        (entry("etc/a", mode=0o600, mtime=1000), b"a1"),
        (entry("bin/tool", mode=0o4755), b"tool"),
        hard_link("bin/other", "bin/tool"),
        link("lib", "usr/lib"),
        directory("usr/lib"),
        directory("closed", 0o000),
    )
    above = layer(("etc/a", b"a2"), ("bin/other", b"other"), ("lib/new", b"new"))
    root = tmp_path / "root"
    unpacker = unpack(root, below, above)
    assert (root / "etc/a").read_text() == "a2"
    assert (root / "bin/tool").read_text() == "tool"
    assert (root / "bin/other").read_text() == "other"
    assert (root / "usr/lib/new").read_text() == "new"
    assert (root / "lib").is_symlink()
    assert stat.S_IMODE((root / "bin/tool").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "closed").stat().st_mode) == 0o700
    assert unpacker.left_out == {"setuid and setgid bits": 1}


def test_hard_links_are_one_file(tmp_path: Path) -> None:
    unpack(tmp_path / "r", layer(("a", b"1"), hard_link("d/b", "a"), hard_link("c", "./d/b")))
    assert (tmp_path / "r/a").stat().st_nlink == 3
    assert (tmp_path / "r/d/b").samefile(tmp_path / "r/c")


@pytest.mark.parametrize("whiteouts_first", [True, False])
def test_whiteouts_hide_what_is_below_and_nothing_of_their_own_layer(
    tmp_path: Path, whiteouts_first: bool
) -> None:
    below = layer(("d/x", b"1"), ("d/y", b"1"), ("o/x", b"1"), ("o/s/z", b"1"), ("gone/a", b"1"))
    whiteouts = [entry("d/.wh.x"), entry("o/.wh..wh..opq"), entry(".wh.gone"), entry(".wh.never")]
    content: list[Any] = [("o/new", b"2"), ("o/s/n", b"2"), ("d/x", b"2")]
    parts = [*whiteouts, *content] if whiteouts_first else [*content, *whiteouts]
    root = tmp_path / "root"
    unpack(root, below, layer(*parts))
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert files == {"d/x": b"2", "d/y": b"1", "o/new": b"2", "o/s/n": b"2"}
    assert not (root / "gone").exists()


def test_a_file_takes_the_place_of_a_directory_and_the_other_way_round(tmp_path: Path) -> None:
    below = layer(("a/b/c", b"1"), ("f", b"1"), link("l", "/a"))
    unpack(
        tmp_path / "r", below, layer(("a", b"2"), directory("f"), ("f/in", b"2"), directory("l"))
    )
    root = tmp_path / "r"
    assert (root / "a").read_bytes() == b"2"
    assert (root / "f/in").read_bytes() == b"2"
    assert (root / "l").is_dir()
    assert not (root / "l").is_symlink()


def test_device_nodes_and_pipes_are_left_out_and_counted(tmp_path: Path) -> None:
    parts = [
        entry("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("dev/sda", type=tarfile.BLKTYPE, devmajor=8),
        entry("pipe", type=tarfile.FIFOTYPE),
        ("f", b"1"),
    ]
    unpacker = unpack(tmp_path / "r", layer(*parts))  # type: ignore[arg-type]
    assert unpacker.left_out == {"device nodes and pipes": 3}
    assert [p.name for p in (tmp_path / "r").rglob("*") if p.is_file()] == ["f"]


LEADING_OUT: dict[str, list[list[Any]]] = {
    "dots": [[("../evil", b"x")]],
    "dots within": [[("a/../../evil", b"x")]],
    "absolute dots": [[("/../evil", b"x")]],
    "a link in the same layer": [[link("out", "OUTSIDE"), ("out/evil", b"x")]],
    "a link in a layer below": [[link("out", "OUTSIDE")], [("out/evil", b"x")]],
    "a relative link": [[link("out", "../outside")], [("out/evil", b"x")]],
    "a link through a link": [[link("a", "/b"), link("b", "../../outside")], [("a/evil", b"x")]],
    "a link as the file itself": [[link("evil", "OUTSIDE/evil")], [("evil", b"x")]],
    "a hard link to the outside": [[hard_link("evil", "OUTSIDE/kept"), ("evil", b"x")]],
    "a hard link through a link": [[link("out", "OUTSIDE"), hard_link("evil", "out/kept")]],
    "a hard link to a link": [[link("l", "OUTSIDE/kept"), hard_link("evil", "l"), ("evil", b"x")]],
    "a whiteout through a link": [[link("out", "OUTSIDE")], [entry("out/.wh.kept")]],
    "an opaque link": [[link("out", "OUTSIDE")], [entry("out/.wh..wh..opq")]],
    "a whiteout of dots": [[entry("a/.wh...")]],
    "a directory's mode through a link": [[link("out", "OUTSIDE")], [directory("out", 0o777)]],
    "links of the machine's own": [[link("out", "/proc/self/root/tmp"), ("out/evil", b"x")]],
}


@pytest.mark.parametrize("case", LEADING_OUT.values(), ids=LEADING_OUT)
def test_nothing_leads_out(tmp_path: Path, case: list[list[Any]]) -> None:
    """It is refused, or stays inside as it would in a container; what is outside stays as it is."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "kept").write_text("kept")
    before = outside.stat()

    def settled(part: Any) -> Any:
        if isinstance(part, tarfile.TarInfo):
            part.linkname = part.linkname.replace("OUTSIDE", str(outside))
        return part

    layers = [layer(*(settled(part) for part in parts)) for parts in case]
    with suppress(ImageError):
        unpack(tmp_path / "root", *layers)
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "kept"
    assert (outside / "kept").stat().st_nlink == 1
    after = outside.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]


def bomb_of_headers() -> bytes:
    """A path of 64 MiB, which is read into memory before anybody sees it."""
    return layer((entry("././@LongLink", type=tarfile.GNUTYPE_LONGNAME), b"a" * (64 << 20)))


def sparse() -> bytes:
    """A map of holes without end."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "f"}
    info = entry("f", pax_headers={**headers, "GNU.sparse.realsize": "1"})
    return layer((info, b"9000000\n" + b"99999999\n" * (1 << 20)))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"PK\3\4" * 200, "is no tar archive, or damaged"),
    "a header of 64 MiB": (bomb_of_headers, "holds a header of"),
    "a sparse file without end": (sparse, "holds headers of more than"),
    "a path of 300 directories": (lambda: layer(("a/" * 300 + "f", b"")), "path that is too long"),
    "a hard link to nothing": (lambda: layer(hard_link("a", "b")), "'a': No such file"),
    "a file through a file": (lambda: layer(("a", b""), ("a/b", b"")), "'a/b': Not a directory"),
    "a loop of links": (lambda: layer(link("a", "a"), ("a/b", b"")), "'a/b': Too many levels"),
}


@pytest.mark.parametrize(("made", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_layer_is_refused(tmp_path: Path, made: Callable[[], bytes], why: str) -> None:
    with pytest.raises(ImageError) as refused:
        unpack(tmp_path / "root", made())
    assert str(refused.value).startswith("images: x: ")
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_links_cannot_make_a_tree_deeper_than_it_may_be(tmp_path: Path) -> None:
    """Each goes on where the one before has ended."""
    parts: list[Any] = [directory("d/" * 90)]
    for number in range(5):
        parts += [link(f"l{number}", f"{f'l{number - 1}/' if number else ''}{'d/' * 90}")]
        parts += [directory(f"l{number}/" + "d/" * 90)]
    with pytest.raises(ImageError, match="path that is too long"):
        unpack(tmp_path / "root", layer(*parts))


def test_numbers_and_sizes_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="more files than an image may have"):
        unpack(
            tmp_path / "a", layer(*(entry(str(n)) for n in range(11))), budget=Budget(1 << 20, 10)
        )
    made = making.image(layer(("zeros", bytes(8 << 20))))
    source = making.write_layout(made, tmp_path / "layout")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "Budget", lambda: Budget(1 << 20, 10))
        with pytest.raises(ImageError, match="more bytes than an image may have"):
            store.ensure(
                FileSource(transport=Transport.OCI_LAYOUT, path=source), tmp_path / "cache"
            )
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]


@pytest.mark.parametrize(
    "compress", [gzip.compress, zstd.compress, bytes], ids=["gzip", "zstd", "plain"]
)
def test_layers_may_be_compressed(tmp_path: Path, compress: Any) -> None:
    made = making.image(layer(("a", b"1" * 3_000_000)), compress=compress)
    source = making.write_layout(made, tmp_path / "layout")
    image = store.ensure(
        FileSource(transport=Transport.OCI_LAYOUT, path=source), tmp_path / "cache"
    )
    assert (image.layers[0] / "a").stat().st_size == 3_000_000


def test_what_is_unpacked_belongs_to_whom_the_box_runs_as(tmp_path: Path) -> None:
    made = making.image(layer((entry("a", uid=26, gid=26), b"1"), link("b", "/etc/passwd")))
    source = making.write_layout(made, tmp_path / "layout")
    host = Path("/etc/passwd").stat().st_uid
    image = store.ensure(
        FileSource(transport=Transport.OCI_LAYOUT, path=source), tmp_path / "cache"
    )
    paths = {p.name: p.lstat() for p in image.layers[0].rglob("*")}
    root = BOX_UID if os.geteuid() == 0 else os.geteuid()
    # Of several users each has a number that nobody has on this machine.
    own = 2**31 + 26 if os.geteuid() == 0 else root
    assert (paths["a"].st_uid, paths["a"].st_gid == paths["a"].st_uid) == (own, True)
    assert {status.st_uid for name, status in paths.items() if name != "a"} == {root}
    assert Path("/etc/passwd").stat().st_uid == host
