"""A root file system of the machine, as an image of one layer."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from embedded.architecture import architecture
from embedded.images.cache import ImageError
from embedded.images.oci.documents import Configuration, ContainerDefaults, RootFileSystem
from embedded.images.oci.found import FoundImage, LayerBlob
from embedded.images.recipe import BASE_PATH


class _Hash:
    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return len(data)


class Snapshot:
    """A directory, read as a tar archive in which the same files are always the same bytes."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what

    def find(self) -> FoundImage:
        """Return the image: its digest is that of all files. Raises ImageError."""
        into = _Hash()
        self._write(cast(BinaryIO, into))
        digest = f"sha256:{into.sha256.hexdigest()}"
        configuration = Configuration(
            os="linux",
            architecture=architecture(),
            rootfs=RootFileSystem(diff_ids=(digest,)),
            config=ContainerDefaults.model_validate({"Env": [f"PATH={BASE_PATH}"]}),
        )
        layer = LayerBlob(place=str(self._path), digest=None, size=None)
        return FoundImage(digest=digest, configuration=configuration, layers=(layer,))

    @contextmanager
    def open(self, _: LayerBlob) -> Iterator[BinaryIO]:
        """Open the one layer. Raises ImageError, OSError."""
        with tempfile.TemporaryFile() as file:
            self._write(cast(BinaryIO, file))
            file.seek(0)
            yield cast(BinaryIO, file)

    def _write(self, into: BinaryIO) -> None:
        try:
            with tarfile.open(fileobj=into, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                for path in self._all(self._path):
                    entry = archive.gettarinfo(path, str(path.relative_to(self._path)))
                    if entry is None:
                        continue  # a socket
                    entry.uid = entry.gid = 0
                    entry.uname = entry.gname = ""
                    entry.mtime = int(entry.mtime)
                    if entry.isreg():
                        with path.open("rb") as file:
                            archive.addfile(entry, file)
                    else:
                        archive.addfile(entry)
        except OSError as error:
            place = error.filename or self._path
            raise ImageError(f"{self._what}: {place}: {error.strerror or error}") from error

    def _all(self, directory: Path) -> Iterator[Path]:
        for path in sorted(directory.iterdir()):
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from self._all(path)
