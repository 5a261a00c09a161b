"""Images are pulled from a real registry, once; what one does not give is said in one line."""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from embedded.architecture import architecture
from embedded.images.cache import ImageError
from embedded.images.model import Image
from embedded.images.oci import registry as pulling
from embedded.images.oci import source
from embedded.images.oci.exchange import Patience
from embedded.images.oci.source import RegistrySource
from tests.embedded.images.oci import making, registries
from tests.embedded.images.oci.making import INDEX, MANIFEST, layer
from tests.embedded.images.oci.registries import LOGIN, Answer, Registry
from tests.embedded.images.test_sources import listed

QUICK = Patience(connect=2, read=1, whole=20, attempts=3, first_pause=0.05)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> str:
    return registries.program(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def opened(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registries.registry(binary, tmp_path_factory.mktemp("open") / "r") as found:
        yield found


@pytest.fixture(scope="module")
def closed(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("closed") / "r"
    with registries.registry(binary, folder, closed=True) as found:
        yield found


@pytest.fixture(autouse=True)
def _nobody_has_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def pull(text: str, folder: Path, daemon: Path = Path("/nowhere")) -> Image:
    wanted = source.parse(text, folder)
    assert isinstance(wanted, RegistrySource)
    return pulling.ensure(wanted, folder / "cache", patience=QUICK, daemon=daemon)


def refusal(text: str, folder: Path, daemon: Path = Path("/nowhere")) -> str:
    with pytest.raises(ImageError) as refused:
        pull(text, folder, daemon)
    said = str(refused.value)
    assert said.startswith("images: ")
    assert "\n" not in said
    return said


def log_in(folder: Path, **config: Any) -> None:
    (folder / "docker").mkdir()
    (folder / "docker/config.json").write_text(json.dumps(config))


def test_an_image_is_pulled_once(
    opened: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By its tag, which then stays what it was, or by its digest."""
    caplog.set_level("INFO")
    first = making.image(layer(("a", b"1" * 200_000)), layer(("b", b"2")), config={"Cmd": ["x"]})
    opened.push(first, "example/once", "1")
    name = f"{opened.host}/example/once"
    tagged = source.parse(f"{name}:1", tmp_path)
    assert isinstance(tagged, RegistrySource)
    assert pulling.known(tagged, tmp_path / "cache") is None
    image = pull(f"{name}:1", tmp_path)
    assert image.digest == pulling.known(tagged, tmp_path / "cache") == first.manifest
    assert [(image.layers[0] / part).stat().st_size for part in "ab"] == [200_000, 1]
    assert image.config.command == ("x",)
    said = len(caplog.messages)
    second = making.image(layer(("a", b"other")))
    opened.push(second, "example/once", "1")
    assert pull(f"{name}:1", tmp_path) == image
    assert len(caplog.messages) == said
    assert pull(f"docker://{name}@{first.manifest}", tmp_path).digest == first.manifest
    assert pull(f"{name}@{second.manifest}", tmp_path).digest == second.manifest
    moved = refusal(f"{name}:1@{first.manifest}", tmp_path)
    assert f"the tag 1 has moved: it is {second.manifest} now; leave it out" in moved


def test_the_image_for_this_machine_is_pulled(opened: Registry, tmp_path: Path) -> None:
    ours = making.image(layer(("a", b"ours")))
    other = making.image(layer(("a", b"other")), machine="riscv64")
    for made in (ours, other):
        opened.push(made, "example/many", made.manifest)
    both = making.Made(blobs=ours.blobs | other.blobs)
    rows = [
        both.descriptor(made.manifest, MANIFEST, platform={"os": "linux", "architecture": arch})
        for made, arch in ((other, "riscv64"), (ours, architecture()))
    ]
    index = both.index(rows)
    opened.push_manifest(both.blobs[index], "example/many", "2", INDEX)
    for _ in range(2):
        image = pull(f"{opened.host}/example/many:2", tmp_path)
        assert (image.digest, image.indexes) == (ours.manifest, (index,))
    both.manifest = both.index(rows[:1])
    opened.push_manifest(both.blobs[both.manifest], "example/many", "3", INDEX)
    assert "is for linux/riscv64; this" in refusal(f"{opened.host}/example/many:3", tmp_path)


def test_a_reference_is_a_source_of_the_platform(opened: Registry, tmp_path: Path) -> None:
    made = making.image(layer(("a", b"1")))
    # The cache is the machine's own, and remembers what an address had once.
    repository = f"example/{uuid.uuid4().hex}"
    opened.push(made, repository, "1")
    text = f"{opened.host}/{repository}:1"
    for given in (text, f"docker://{text}"):
        done = listed(tmp_path, f"example/pulled:2={given}")
        assert done.returncode == 0, done.stderr
        shown = f"example/pulled:2  docker://{text}  {made.manifest}"
        assert done.stdout.splitlines()[0] == shown
    done = listed(tmp_path, f"example/pulled={opened.host}/{repository}:3")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith(
        f"images: docker://{opened.host}/{repository}:3:"
    )


def test_what_is_not_there_is_said(opened: Registry, tmp_path: Path) -> None:
    for text in ("example/never:1", "example/once:never", f"a@sha256:{'0' * 64}"):
        said = refusal(f"{opened.host}/{text}", tmp_path)
        assert "127.0.0.1: answers 404: there is no such name or tag" in said


HELPER = """#!/bin/sh
read -r server
[ "$server" = "{host}" ] || {{ echo "credentials not found in native keychain"; exit 1; }}
echo '{{"ServerURL": "x", "Username": "user", "Secret": "secret"}}'
"""


def test_a_closed_registry_is_for_who_has_logged_in(
    closed: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Docker's file, or a helper that it names; what is wrong with them is said."""
    made = making.image(layer(("a", b"1")))
    closed.push(made, "example/secret", "1")
    text = f"{closed.host}/example/secret:1"
    assert "answers 401: log in with `docker login`" in refusal(text, tmp_path)
    log_in(tmp_path, auths={closed.host: {"auth": base64.b64encode(b"user:wrong").decode()}})
    assert "answers 401: log in" in refusal(text, tmp_path)
    config = tmp_path / "docker/config.json"
    config.write_text(json.dumps({"auths": {closed.host: {"auth": LOGIN}}}))
    assert pull(text, tmp_path).digest == made.manifest

    config.write_text(json.dumps({"credHelpers": {closed.host: "ours"}}))
    other = tmp_path / "other"
    assert "docker-credential-ours is not installed" in refusal(text, other)
    helper = tmp_path / "bin/docker-credential-ours"
    helper.parent.mkdir()
    helper.write_text(HELPER.format(host=closed.host))
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:{os.environ['PATH']}")
    assert pull(text, other).digest == made.manifest
    helper.write_text(HELPER.format(host="elsewhere"))
    third = tmp_path / "third"
    assert "answers 401" in refusal(text, third)
    for wrong in (
        '{"credsStore": "../x"}',
        "[]",
        json.dumps({"auths": {closed.host: {"auth": "?"}}}),
    ):
        config.write_text(wrong)
        said = refusal(text, third)
        assert "which is no helper" in said or "is not as `docker login` writes it" in said


def registry_of(made: making.Made) -> Any:
    """What a registry answers that has one image, under each name."""

    def answer(path: str, _: Mapping[str, str]) -> Answer:
        name = path.rpartition("/")[2]
        if name == "1" or name == made.manifest:
            return 200, {"Content-Type": MANIFEST}, made.blobs[made.manifest]
        if name in made.blobs:
            return 200, {}, made.blobs[name]
        return 404, {}, b""

    return answer


def test_a_token_is_fetched_from_where_the_registry_says(tmp_path: Path) -> None:
    """With the credentials, which the registry itself never sees, and for reading alone."""
    made = making.image(layer(("a", b"1")))
    serve = registry_of(made)
    asked: list[tuple[str, str | None]] = []

    def issue(path: str, headers: Mapping[str, str]) -> Answer:
        asked.append((path, headers.get("Authorization")))
        return 200, {}, json.dumps({"token": "t0ken"}).encode()

    with registries.server(issue) as issuer:
        challenge = f'Bearer realm="http://{issuer}/token",service="us",scope="ignored"'

        def guard(path: str, headers: Mapping[str, str]) -> Answer:
            given = headers.get("Authorization")
            assert given in {None, "Bearer t0ken"}
            return serve(path, headers) if given else (401, {"WWW-Authenticate": challenge}, b"")

        with registries.server(guard) as host:
            assert pull(f"{host}/example/x:1", tmp_path).digest == made.manifest
            log_in(tmp_path, auths={host: {"auth": LOGIN}})
            assert pull(f"{host}/example/x:1", tmp_path / "b").digest == made.manifest
            (tmp_path / "docker/config.json").write_text(
                json.dumps({"auths": {host: {"identitytoken": "1d"}}})
            )
            assert pull(f"{host}/example/x:1", tmp_path / "c").digest == made.manifest
    exchanged = {path for path, _ in asked if "refresh_token=1d" in path}
    assert len(exchanged) == 1
    assert "grant_type=refresh_token" in exchanged.pop()
    asked = [one for one in asked if "refresh_token" not in one[0]]
    scope = "scope=repository:example/x:pull"
    assert {path for path, _ in asked} == {f"/token?{scope}&service=us"}
    assert {given for _, given in asked} == {None, f"Basic {LOGIN}"}


def test_credentials_are_not_sent_in_plaintext_elsewhere(tmp_path: Path) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="http://registry.example/token"'}
    with registries.server(lambda *_: (401, challenge, b"")) as host:
        log_in(tmp_path, auths={host: {"auth": LOGIN}})
        said = refusal(f"{host}/example/x:1", tmp_path)
    assert "asks for credentials in plaintext, at registry.example; they are not sent" in said


@pytest.mark.parametrize(
    ("challenge", "token", "why"),
    [
        ('Bearer realm="http://[1"', b"", "names no address that gives tokens"),
        ("Bearer", b"", "answers 401: log in"),
        ("Digest realm=x", b"", "answers 401: log in"),
        ('Bearer realm="http://ISSUER/"', b"[]", "its answer holds no token"),
        ('Bearer realm="http://ISSUER/"', b"{", "its answer holds no token"),
    ],
)
def test_a_challenge_that_cannot_be_met_is_said(
    tmp_path: Path, challenge: str, token: bytes, why: str
) -> None:
    with registries.server(lambda *_: (200, {}, token)) as issuer:
        headers = {"WWW-Authenticate": challenge.replace("ISSUER", issuer)}
        with registries.server(lambda *_: (401, headers, b"")) as host:
            assert why in refusal(f"{host}/example/x:1", tmp_path)


def test_a_redirection_leads_elsewhere_without_credentials(tmp_path: Path) -> None:
    made = making.image(layer(("a", b"1")))
    serve = registry_of(made)
    seen: list[str | None] = []

    def store(path: str, headers: Mapping[str, str]) -> Answer:
        seen.append(headers.get("Authorization"))
        return serve(path, headers)  # type: ignore[no-any-return]

    with registries.server(store) as elsewhere:
        location = elsewhere.replace("127.0.0.1", "localhost")

        def guard(path: str, headers: Mapping[str, str]) -> Answer:
            if headers.get("Authorization") != f"Basic {LOGIN}":
                return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
            if "/blobs/" in path:
                return 307, {"Location": f"http://{location}{path}"}, b""
            return serve(path, headers)  # type: ignore[no-any-return]

        with registries.server(guard) as host:
            log_in(tmp_path, auths={host: {"auth": LOGIN}})
            assert pull(f"{host}/example/x:1", tmp_path).digest == made.manifest
    assert seen == [None, None]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_registry_is_asked_again(tmp_path: Path, status: int) -> None:
    made = making.image(layer(("a", b"1")))
    serve = registry_of(made)
    answers = iter([(status, {"Retry-After": "0"}, b""), (status, {}, b"")])
    with registries.server(lambda *given: next(answers, None) or serve(*given)) as host:
        assert pull(f"{host}/example/x:1", tmp_path).digest == made.manifest
    with registries.server(lambda *_: (status, {}, b"")) as host:
        said = refusal(f"{host}/example/y:1", tmp_path)
    assert f"127.0.0.1: answers {status}: " in said
    assert said.endswith("(tried 3 times)")


def test_a_pause_longer_than_the_patience_is_not_waited_for(tmp_path: Path) -> None:
    with registries.server(lambda *_: (429, {"Retry-After": "3600"}, b"")) as host:
        said = refusal(f"{host}/example/x:1", tmp_path)
    assert "it has had too many requests; try again later, or log in" in said
    assert said.endswith("(tried once)")


def test_a_registry_that_hangs_or_is_away_is_said(tmp_path: Path) -> None:
    ended = Event()

    def hang(*_: Any) -> Answer:
        ended.wait(30)
        return 200, {}, b""

    with registries.server(hang) as host:
        said = refusal(f"{host}/example/x:1", tmp_path)
        ended.set()
    assert "127.0.0.1: does not answer in time; look at the network, and at HTTPS_PROXY" in said
    said = refusal("127.0.0.1:1/example/x:1", tmp_path)
    assert "127.0.0.1: cannot be reached: " in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "is cut off or damaged"),
        (lambda b: b[:-9], "cut off"),
        (lambda b: b + bytes(1 << 20), "is longer than the"),
    ],
    ids=["another byte", "cut off", "endless"],
)
def test_a_blob_that_is_another_is_refused(tmp_path: Path, change: Any, why: str) -> None:
    made = making.image(layer(("a", b"1" * 5000)))
    (blob,) = made.blobs.keys() - {made.manifest, made.config}
    made.blobs[blob] = change(made.blobs[blob])
    with registries.server(registry_of(made)) as host:
        said = refusal(f"{host}/example/x:1", tmp_path)
    assert why in said
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]


def test_a_mirror_of_docker_hub_is_asked_first(tmp_path: Path) -> None:
    """Without credentials; the registry itself is the last to be tried, and both are named."""
    made = making.image(layer(("a", b"1")))
    log_in(tmp_path, auths={"https://index.docker.io/v1/": {"auth": LOGIN}})
    serve = registry_of(made)
    seen: list[tuple[str, str | None]] = []

    def mirror(path: str, headers: Mapping[str, str]) -> Answer:
        seen.append((path, headers.get("Authorization")))
        return serve(path, headers)  # type: ignore[no-any-return]

    with registries.server(mirror) as host:
        (tmp_path / "daemon.json").write_text(json.dumps({"registry-mirrors": [f"http://{host}/"]}))
        assert pull("web:1", tmp_path, tmp_path / "daemon.json").digest == made.manifest
    assert seen[0] == ("/v2/library/web/manifests/1", None)


def test_a_proxy_is_asked_where_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making.image(layer(("a", b"1")))
    serve = registry_of(made)
    with registries.server(lambda path, headers: serve(path, headers)) as host:
        monkeypatch.setenv("http_proxy", f"http://{host}")
        mirrors = {"registry-mirrors": ["http://mirror.example"]}
        (tmp_path / "daemon.json").write_text(json.dumps(mirrors))
        assert pull("web:1", tmp_path, tmp_path / "daemon.json").digest == made.manifest
