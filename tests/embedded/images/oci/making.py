"""Images for tests: layers, OCI layouts and archives, and what `docker save` writes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.architecture import architecture

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def entry(name: str, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def directory(name: str, mode: int = 0o755) -> tarfile.TarInfo:
    return entry(name, type=tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> tarfile.TarInfo:
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> tarfile.TarInfo:
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def layer(*parts: tarfile.TarInfo | tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    """A tar archive: of headers alone, and of pairs of a name (or header) and a content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for part in parts:
            if isinstance(part, tarfile.TarInfo):
                archive.addfile(part)
                continue
            info = entry(part[0]) if isinstance(part[0], str) else part[0]
            info.size = len(part[1])
            archive.addfile(info, io.BytesIO(part[1]))
    return out.getvalue()


@dataclass
class Made:
    """An image as blobs by their digests; `manifest` is the digest of its manifest."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifest: str = ""
    config: str = ""
    layers: list[bytes] = field(default_factory=list)

    def add(self, content: bytes) -> str:
        digest = digest_of(content)
        self.blobs[digest] = content
        return digest

    def descriptor(self, digest: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"mediaType": kind, "digest": digest, "size": len(self.blobs[digest]), **more}

    def index(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """Add an index, as what stands in the place of the manifest."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}
        return self.add(json.dumps(document).encode())


def image(
    *layers: bytes,
    config: Mapping[str, Any] | None = None,
    machine: str = "",
    compress: Any = gzip.compress,
) -> Made:
    made = Made(layers=list(layers))
    document = {
        "os": "linux",
        "architecture": machine or architecture(),
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest_of(one) for one in layers]},
    }
    made.config = made.add(json.dumps(document).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": made.descriptor(made.config, CONFIG),
        "layers": [made.descriptor(made.add(compress(one)), LAYER) for one in layers],
    }
    made.manifest = made.add(json.dumps(manifest).encode())
    return made


def write_layout(made: Made, target: Path, names: Mapping[str, Mapping[str, Any]] = {}) -> Path:
    """Write an OCI layout with `made`'s manifest, or with one manifest for each name."""
    for digest, content in made.blobs.items():
        file = target / "blobs" / digest.replace(":", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    key = "org.opencontainers.image.ref.name"
    named = [{**what, "annotations": {key: name}} for name, what in names.items()]
    index = {
        "schemaVersion": 2,
        "manifests": named or [made.descriptor(made.manifest, MANIFEST)],
    }
    (target / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (target / "index.json").write_text(json.dumps(index))
    return target


def tar_of(folder: Path, target: Path, mode: str = "w") -> Path:
    with tarfile.open(target, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, ".")
    return target


def write_saved(made: Made, target: Path, tags: Sequence[str] = ("example/web:1",)) -> Path:
    """Write what `docker save` does: plain layers below the ids of their own."""
    config = made.config.removeprefix("sha256:")
    paths = [f"{n}/layer.tar" for n in range(len(made.layers))]
    saved = [{"Config": f"{config}.json", "RepoTags": list(tags), "Layers": paths}]
    target.write_bytes(
        layer(
            *zip(paths, made.layers, strict=True),
            (f"{config}.json", made.blobs[made.config]),
            ("manifest.json", json.dumps(saved).encode()),
        )
    )
    return target
