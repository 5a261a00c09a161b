"""A real registry on loopback, Debian's docker-registry, and a server that misbehaves."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Any

import pytest

from tests.embedded.images.oci.making import MANIFEST, Made

# For user:secret, as `htpasswd -B` writes it.
ACCOUNTS = "user:$2b$04$9VsmNGHUBARJqRLELOSsfeTiTlqotM5RttkOYUe2O.QINxGRkfelu\n"
LOGIN = base64.b64encode(b"user:secret").decode()
_SECONDS = 60


def program(folder: Path) -> str:
    """Debian's docker-registry: the one that is installed, or its package unpacked."""
    installed = shutil.which("docker-registry")
    if installed is not None:
        return installed
    command = ["apt-get", "download", "-q", "docker-registry"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=180, check=False)
    packages = list(folder.glob("docker-registry_*.deb"))
    if done.returncode != 0 or not packages:
        pytest.skip("not run: Debian's docker-registry can be neither found nor downloaded")
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(folder)], timeout=60, check=True)
    return str(folder / "usr/bin/docker-registry")


@dataclass(frozen=True)
class Registry:
    """A registry at `host`, a name with a port."""

    host: str
    headers: Mapping[str, str]

    def push(self, made: Made, repository: str, tag: str, kind: str = MANIFEST) -> None:
        for digest, content in made.blobs.items():
            if b'"manifests"' not in content and digest != made.manifest:
                self._blob(repository, digest, content)
        path = f"/v2/{repository}/manifests/{tag}"
        self._ask("PUT", path, made.blobs[made.manifest], {"Content-Type": kind})

    def push_manifest(self, content: bytes, repository: str, name: str, kind: str) -> None:
        self._ask("PUT", f"/v2/{repository}/manifests/{name}", content, {"Content-Type": kind})

    def _blob(self, repository: str, digest: str, content: bytes) -> None:
        place = self._ask("POST", f"/v2/{repository}/blobs/uploads/", b"", {})["Location"]
        path = place.split(self.host, 1)[-1]
        kind = {"Content-Type": "application/octet-stream"}
        self._ask("PUT", f"{path}&digest={digest}", content, kind)

    def _ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        connection = http.client.HTTPConnection(self.host, timeout=_SECONDS)
        try:
            connection.request(method, path, body, {**headers, **self.headers})
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status in {201, 202}, (answer.status, said)
            return dict(answer.getheaders())
        finally:
            connection.close()


@contextmanager
def registry(binary: str, folder: Path, *, closed: bool = False) -> Iterator[Registry]:
    """Keep a registry up; a closed one is for who has logged in."""
    folder.mkdir()
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": "127.0.0.1:0"},
    }
    if closed:
        (folder / "htpasswd").write_text(ACCOUNTS)
        config["auth"] = {"htpasswd": {"realm": "here", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        [binary, "serve", str(folder / "config.yml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: Queue[str] = Queue()
    reading = Thread(target=_read, args=(process.stdout, said))
    reading.start()
    try:
        yield Registry(_host(said), {"Authorization": f"Basic {LOGIN}"} if closed else {})
    finally:
        process.terminate()
        process.wait(_SECONDS)
        reading.join(_SECONDS)


def _read(output: IO[str], said: Queue[str]) -> None:
    with output:
        for line in output:
            said.put(line)
    said.put("")


def _host(said: Queue[str]) -> str:
    """Return where the registry says that it listens, on a port that is free."""
    heard: list[str] = []
    while not heard or heard[-1]:
        heard.append(said.get(timeout=_SECONDS))
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", heard[-1]):
            return found[1]
    raise AssertionError("".join(heard))


Answer = tuple[int, Mapping[str, str], bytes]


@contextmanager
def server(answer: Callable[[str, Mapping[str, str]], Answer]) -> Iterator[str]:
    """Keep a server up that answers a path, and the headers of its request, as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path, dict(self.headers))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            """Take the form for a query."""
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.path = f"{self.path}?{form}"
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()
