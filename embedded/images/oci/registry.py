"""Images of registries: pulled once, and kept in the cache with the digest that they had."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import aiohttp
from yarl import URL

from embedded.images.cache import ImageError
from embedded.images.model import Image
from embedded.images.oci import store
from embedded.images.oci.blobs import read_whole
from embedded.images.oci.credentials import credentials_for
from embedded.images.oci.documents import INDEX_TYPES, LARGEST, MANIFEST_TYPES, Descriptor
from embedded.images.oci.exchange import Exchange, Patience, RegistryError, is_loopback
from embedded.images.oci.found import FoundImage, LayerBlob, follow
from embedded.images.oci.reference import DOCKER_HUB, Reference
from embedded.images.oci.source import RegistrySource

_log = logging.getLogger(__name__)

_HUB_HOST = "registry-1.docker.io"
_DAEMON = Path("/etc/docker/daemon.json")
# A digest is of what is sent, so nothing may be compressed on the way.
_AS_IT_IS = {"Accept-Encoding": "identity"}
_ACCEPT = {"Accept": ", ".join((*INDEX_TYPES, *MANIFEST_TYPES)), **_AS_IT_IS}
_CHUNK = 1 << 20
_PULLED = "pulled"


def ensure(
    source: RegistrySource,
    directory: Path,
    *,
    patience: Patience = Patience(),  # noqa: B008
    daemon: Path = _DAEMON,
) -> Image:
    """Return the image of a registry, pulled first if `directory` does not hold it.

    A tag is asked for once: from then on it is what it was. Raises ImageError.
    """
    record = _record(source, directory)
    found = _known(record)
    if found is not None and store.holds(found[0], directory):
        digest, *indexes = found
        return store.kept(digest, str(source), directory, indexes)
    image = _pull(source, directory, patience, daemon)
    _note(record, source, image)
    return image


def known(source: RegistrySource, directory: Path) -> str | None:
    """Return the digest of the image of a registry if `directory` holds it."""
    found = _known(_record(source, directory))
    return found[0] if found is not None and store.holds(found[0], directory) else None


def _pull(source: RegistrySource, directory: Path, patience: Patience, daemon: Path) -> Image:
    reference = source.reference
    what = f"images: {source}"
    failures: list[str] = []
    for base in _bases(reference.registry, daemon):
        # Credentials are for the registry itself, not for who mirrors it.
        is_registry = base == _address(reference.registry)
        given = credentials_for(reference.registry) if is_registry else None
        _log.info("%s: asking %s", what, base)
        try:
            with asyncio.Runner() as runner:
                session = runner.run(_session(patience))
                try:
                    exchange = runner.run(
                        _exchange(session, base, reference.repository, given, patience)
                    )
                    contents = _Pulled(runner, exchange, reference, what, directory)
                    return store.keep(contents, str(source), directory)
                finally:
                    runner.run(session.close())
        except RegistryError as error:
            failures.append(str(error))
    raise ImageError(f"{what}: {'; '.join(failures)}")


async def _session(patience: Patience) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=patience.connect, sock_read=patience.read
    )
    return aiohttp.ClientSession(timeout=timeout, auto_decompress=False)


async def _exchange(*arguments: object) -> Exchange:
    return Exchange(*arguments)  # type: ignore[arg-type]


class _Pulled:
    """An image of a registry, whose blobs are downloaded as they are asked for."""

    def __init__(
        self,
        runner: asyncio.Runner,
        exchange: Exchange,
        reference: Reference,
        what: str,
        directory: Path,
    ) -> None:
        self._runner = runner
        self._exchange = exchange
        self._reference = reference
        self._what = what
        self._directory = directory

    def find(self) -> FoundImage:
        """Return the image. Raises ImageError."""
        wanted = self._reference.digest
        content, media_type = self._runner.run(self._manifest(wanted or str(self._reference.tag)))
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if wanted is not None and digest != wanted:
            text = f"is damaged: the registry's manifest has the digest {digest}, not {wanted}"
            raise ImageError(f"{self._what}: {text}")
        if wanted is not None and self._reference.tag is not None:
            self._runner.run(self._check_tag(self._reference.tag, wanted))
        start = Descriptor.model_validate(
            {"mediaType": media_type, "digest": digest, "size": len(content)}
        )

        def fetch(descriptor: Descriptor) -> bytes:
            return content if descriptor is start else self._document(descriptor)

        return follow(start, fetch, self._what)

    @contextmanager
    def open(self, layer: LayerBlob) -> Iterator[BinaryIO]:
        """Download a layer. Raises ImageError, OSError."""
        with tempfile.TemporaryFile(dir=self._directory) as file:
            self._runner.run(self._download(layer, cast(BinaryIO, file)))
            file.seek(0)
            yield cast(BinaryIO, file)

    def _document(self, descriptor: Descriptor) -> bytes:
        what = f"{self._what}: {descriptor.digest}"
        if descriptor.size > LARGEST:
            raise ImageError(f"{what}: has {descriptor.size} bytes, more than {LARGEST}")
        kinds = (*INDEX_TYPES, *MANIFEST_TYPES)
        kind = "manifests" if descriptor.media_type in kinds else "blobs"
        content = self._runner.run(self._small(f"{kind}/{descriptor.digest}"))
        with tempfile.SpooledTemporaryFile(LARGEST) as file:
            file.write(content)
            file.seek(0)
            return read_whole(file, descriptor.digest, what, size=descriptor.size, most=LARGEST)

    async def _manifest(self, name: str) -> tuple[bytes, str]:
        async with self._exchange.get(f"manifests/{name}", _ACCEPT) as response:
            known = response.content_type in (*INDEX_TYPES, *MANIFEST_TYPES)
            media_type = response.content_type if known else ""
            return await _bounded(response, self._what), media_type

    async def _small(self, path: str) -> bytes:
        accept = _ACCEPT if path.startswith("manifests/") else _AS_IT_IS
        async with self._exchange.get(path, accept) as response:
            return await _bounded(response, self._what)

    async def _check_tag(self, tag: str, wanted: str) -> None:
        async with self._exchange.get(f"manifests/{tag}", _ACCEPT) as response:
            content = await _bounded(response, self._what)
        found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if found != wanted:
            text = f"the tag {tag} has moved: it is {found} now; leave it out, or name that digest"
            raise ImageError(f"{self._what}: {text}")

    async def _download(self, layer: LayerBlob, file: BinaryIO) -> None:
        size = layer.size or 0
        _log.info("%s: pulling %s, %.1f MB", self._what, layer.place, size / 1e6)
        async with self._exchange.get(f"blobs/{layer.digest}", _AS_IT_IS) as response:
            left = size + 1
            async for block in response.content.iter_chunked(_CHUNK):
                file.write(block[:left])
                left -= len(block)
                if left <= 0:
                    return


async def _bounded(response: aiohttp.ClientResponse, what: str) -> bytes:
    content = b""
    async for block in response.content.iter_chunked(_CHUNK):
        content += block
        if len(content) > LARGEST:
            raise ImageError(f"{what}: the registry's document has more than {LARGEST} bytes")
    return content


def _bases(registry: str, daemon: Path) -> list[str]:
    """Return the addresses to try: the mirrors of Docker's configuration, and the registry."""
    mirrors = _mirrors(daemon) if registry == DOCKER_HUB else []
    return [*mirrors, _address(registry)]


def _address(registry: str) -> str:
    host = _HUB_HOST if registry == DOCKER_HUB else registry
    # As Docker has it, only this machine is spoken to without TLS.
    return f"{'http' if is_loopback(URL(f'//{host}').host or '') else 'https'}://{host}"


def _mirrors(daemon: Path) -> list[str]:
    try:
        mirrors = json.loads(daemon.read_text()).get("registry-mirrors") or []
        return [str(mirror).rstrip("/") for mirror in mirrors]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, AttributeError) as error:
        raise ImageError(f"images: {daemon}: cannot be read: {error}") from error


def _record(source: RegistrySource, directory: Path) -> Path:
    return directory / _PULLED / hashlib.sha256(str(source).encode()).hexdigest()


def _known(record: Path) -> list[str] | None:
    """Return the digest that an image had, and those of its indexes."""
    try:
        fields: Mapping[str, Any] = json.loads(record.read_text())
        return [str(fields["digest"]), *map(str, fields["indexes"])]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(record: Path, source: RegistrySource, image: Image) -> None:
    try:
        record.parent.mkdir(exist_ok=True)
        aside = record.with_name(f"{record.name}.{os.getpid()}")
        known = {"source": str(source), "digest": image.digest, "indexes": image.indexes}
        aside.write_text(json.dumps(known))
        aside.rename(record)
    except OSError as error:
        raise ImageError(f"images: {record}: cannot be written: {error.strerror}") from error
