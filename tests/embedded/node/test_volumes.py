from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from embedded.node.pods.fields import PodFacts
from embedded.node.volumes.claims import Claims
from embedded.node.volumes.content import ContentContext
from embedded.node.volumes.manager import MountError, PodVolumes
from tests.embedded.node.cluster import Json, Shelf, pod, secret

FACTS = PodFacts(pod_ip="10.244.0.9", host_ip="10.244.0.1")


class Bench:
    """The volumes of one Pod, on a real directory."""

    def __init__(self, tmp_path: Path, *volumes: Json, mounts: tuple[Json, ...] = ()) -> None:
        self.shelf = Shelf()
        self.claims: dict[str, Json] = {}
        container = {"name": "app", "image": "x", "volumeMounts": list(mounts)}
        self.pod = pod(volumes=list(volumes), containers=[container])
        self.container = container
        self.root = tmp_path / "volumes"
        context = ContentContext(pod=self.pod, facts=FACTS, sources=self.shelf)
        self.volumes = PodVolumes(self.root, context, Claims(tmp_path / "claims", self))

    async def claim(self, namespace: str, name: str) -> Json | None:
        return self.claims.get(name)

    def set_up(self) -> None:
        asyncio.run(self.volumes.set_up())

    def refresh(self, kind: str, name: str) -> None:
        asyncio.run(self.volumes.refresh((kind, name), self.pod))


def test_a_secret_is_seen_as_files_with_its_mode(tmp_path: Path) -> None:
    volume = {"name": "tls", "secret": {"secretName": "s", "defaultMode": 0o640}}
    bench = Bench(tmp_path, volume)
    bench.shelf.secrets["s"] = secret(**{"tls.key": "KEY"})
    bench.set_up()
    file = bench.root / "tls" / "tls.key"
    assert file.read_text() == "KEY"
    # Its owner is the container itself, and PostgreSQL takes no group-readable key from itself.
    assert file.stat().st_mode & 0o777 == 0o600


def test_items_choose_rename_and_nest(tmp_path: Path) -> None:
    items = [{"key": "tls.crt", "path": "server/cert.pem", "mode": 0o444}]
    bench = Bench(tmp_path, {"name": "v", "secret": {"secretName": "s", "items": items}})
    bench.shelf.secrets["s"] = secret(**{"tls.crt": "CERT", "tls.key": "KEY"})
    bench.set_up()
    seen = [p.name for p in (bench.root / "v").iterdir() if not p.name.startswith("..")]
    assert seen == ["server"]
    assert (bench.root / "v/server/cert.pem").read_text() == "CERT"


def test_a_projected_volume_joins_its_sources(tmp_path: Path) -> None:
    sources = [
        {"secret": {"name": "s"}},
        {"configMap": {"name": "c", "items": [{"key": "ca", "path": "ca.crt"}]}},
        {"serviceAccountToken": {"path": "token"}},
        {
            "downwardAPI": {
                "items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
            }
        },
    ]
    bench = Bench(tmp_path, {"name": "v", "projected": {"sources": sources}})
    bench.shelf.secrets["s"] = secret(a="1")
    bench.shelf.config_maps["c"] = {"data": {"ca": "CA"}}
    bench.set_up()
    found = {n: (bench.root / "v" / n).read_text() for n in ("a", "ca.crt", "token", "labels")}
    assert found == {
        "a": "1",
        "ca.crt": "CA",
        "token": "token of db-0 for the API",
        "labels": 'role="primary"',
    }


def test_a_change_swaps_all_files_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"name": "v", "secret": {"secretName": "s"}})
    bench.shelf.secrets["s"] = secret(a="1", b="1")
    bench.set_up()
    before = (bench.root / "v" / "..data").readlink()
    bench.shelf.secrets["s"] = secret(a="2", c="2")
    bench.refresh("Secret", "s")
    files = {p.name: p.read_text() for p in (bench.root / "v").iterdir() if p.is_file()}
    assert files == {"a": "2", "c": "2"}
    assert (bench.root / "v" / "..data").readlink() != before
    assert not (bench.root / "v" / before).exists()


def test_an_equal_secret_changes_no_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"name": "v", "secret": {"secretName": "s"}})
    bench.shelf.secrets["s"] = secret(a="1")
    bench.set_up()
    before = (bench.root / "v" / "..data").readlink()
    bench.refresh("Secret", "s")
    assert (bench.root / "v" / "..data").readlink() == before


def test_a_secret_that_goes_leaves_its_files(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"name": "v", "secret": {"secretName": "s"}})
    bench.shelf.secrets["s"] = secret(a="1")
    bench.set_up()
    del bench.shelf.secrets["s"]
    bench.refresh("Secret", "s")
    assert (bench.root / "v" / "a").read_text() == "1"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"secret": {"secretName": "gone"}}, 'secret "gone" not found'),
        (
            {"secret": {"secretName": "s", "items": [{"key": "k", "path": "k"}]}},
            "references non-existent secret key: k",
        ),
        ({"configMap": {"name": "gone"}}, 'configmap "gone" not found'),
        ({"persistentVolumeClaim": {"claimName": "gone"}}, '"gone" not found'),
        ({"nfs": {"server": "x"}}, "nfs volumes are not offered by this node"),
    ],
)
def test_what_cannot_be_mounted_is_said_as_a_kubelet_does(
    tmp_path: Path, source: dict[str, Any], message: str
) -> None:
    bench = Bench(tmp_path, {"name": "v"} | source)
    bench.shelf.secrets["s"] = secret(a="1")
    with pytest.raises(MountError) as caught:
        bench.set_up()
    assert str(caught.value).startswith('MountVolume.SetUp failed for volume "v" : ')
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../../escaped", "must not contain '..'"),
        ("a/../../escaped", "must not contain '..'"),
        ("{outside}/escaped", "must be relative path"),
        ("..data", "must not start with '..'"),
        ("./..data/x", "must not start with '..'"),
        (".", "must not be empty"),
    ],
)
@pytest.mark.parametrize("kind", ["secret", "configMap", "downwardAPI", "serviceAccountToken"])
def test_no_file_is_written_outside_of_its_volume(
    tmp_path: Path, path: str, why: str, kind: str
) -> None:
    path = path.format(outside=tmp_path)
    items = [{"key": "k", "path": path, "fieldRef": {"fieldPath": "metadata.name"}}]
    source = {"path": path} if kind == "serviceAccountToken" else {"name": "s", "items": items}
    bench = Bench(tmp_path, {"name": "v", "projected": {"sources": [{kind: source}]}})
    bench.shelf.secrets["s"] = secret(k="1")
    bench.shelf.config_maps["s"] = {"data": {"k": "1"}}
    with pytest.raises(MountError, match=f"invalid path: {re.escape(why)}"):
        bench.set_up()
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_key_that_leads_outside_leaves_the_old_files(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"name": "v", "secret": {"secretName": "s"}})
    bench.shelf.secrets["s"] = secret(a="1")
    bench.set_up()
    bench.shelf.secrets["s"] = secret(**{"a": "2", "../escaped": "2"})
    bench.refresh("Secret", "s")
    assert (bench.root / "v" / "a").read_text() == "1"
    assert not (bench.root / "v" / "escaped").exists()


def test_optional_sources_may_be_missing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"name": "v", "secret": {"secretName": "gone", "optional": True}})
    bench.set_up()
    assert [p for p in (bench.root / "v").iterdir() if not p.name.startswith("..")] == []
    bench.shelf.secrets["gone"] = secret(a="1")
    bench.refresh("Secret", "gone")
    assert (bench.root / "v" / "a").read_text() == "1"


def test_a_claims_directory_goes_with_its_volume(tmp_path: Path) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "c"}}
    bench = Bench(tmp_path, volume, mounts=({"name": "data", "mountPath": "/pgdata"},))
    bench.claims["c"] = {"spec": {"volumeName": "pv-1"}}
    bench.set_up()
    (bind,) = bench.volumes.binds(bench.container, {})
    (bind.source / "PG_VERSION").write_text("15")
    assert (bind.source / "PG_VERSION").read_text() == "15"
    Claims(tmp_path / "claims", bench).removed({"metadata": {"name": "pv-1"}})
    assert not bind.source.exists()


def test_a_sub_path_stays_in_its_volume(tmp_path: Path) -> None:
    mounts = (
        {"name": "tmp", "mountPath": "/a", "subPath": "one"},
        {"name": "tmp", "mountPath": "/b", "subPathExpr": "$(WHO)/x"},
    )
    bench = Bench(tmp_path, {"name": "tmp", "emptyDir": {}}, mounts=mounts)
    bench.set_up()
    first, second = bench.volumes.binds(bench.container, {"WHO": "me"})
    assert first.source == bench.root / "tmp/one"
    assert second.source == bench.root / "tmp/me/x"
    outside = {"volumeMounts": [{"name": "tmp", "mountPath": "/c", "subPath": "../../.."}]}
    with pytest.raises(MountError, match="leads out of the volume"):
        bench.volumes.binds(outside, {})
