"""What a user writes for an image, and what is meant by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.images.oci import reference, source
from embedded.images.oci.reference import InvalidReferenceError
from embedded.images.oci.source import InvalidSourceError

DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("debian", "docker.io/library/debian:latest"),
        ("percona/web:2.9.0", "docker.io/percona/web:2.9.0"),
        ("docker.io/debian:12", "docker.io/library/debian:12"),
        ("index.docker.io/a/b", "docker.io/a/b:latest"),
        ("localhost/a", "localhost/a:latest"),
        ("localhost:5000/a/b:t", "localhost:5000/a/b:t"),
        ("[::1]:5000/a", "[::1]:5000/a:latest"),
        (f"registry.example/a__b/c-d.e@{DIGEST}", f"registry.example/a__b/c-d.e@{DIGEST}"),
        (f"a/b:1@{DIGEST}", f"docker.io/a/b:1@{DIGEST}"),
        ("Host/a", "Host/a:latest"),
    ],
)
def test_what_is_left_out_is_filled_in(text: str, whole: str) -> None:
    assert str(reference.parse(text)) == whole
    assert reference.parse(whole) == reference.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is no repository, lower-case words"),
        ("Percona", "the repository 'library/Percona' is not lower-case words"),
        ("a/../b", "the repository 'a/../b' is not"),
        ("a//b", "the repository 'a//b' is not"),
        ("a/b:", "there is no tag, up to 128"),
        ("a/b:-x", "the tag '-x' is not up to 128"),
        (f"a/b:{'x' * 129}", "is not up to 128"),
        ("a/b@sha256:00", "the digest 'sha256:00' is not sha256: and 64"),
        ("a/b@", "there is no digest, sha256:"),
        ("-x.example/a", "the registry '-x.example' is not a host"),
        ("a" * 256, "longer than 255"),
        ("a/b\n", "is not lower-case"),
        ("http://registry.example/a", "the registry 'http:' is not a host"),
    ],
)
def test_what_is_no_reference_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        reference.parse(text)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("recipe", "recipe"),
        ("recipe:postgresql", "recipe:postgresql"),
        ("docker-archive:a.tar", "docker-archive:/here/a.tar"),
        ("docker-archive:/a.tar:example/web:1", "docker-archive:/a.tar:example/web:1"),
        ("oci-archive:../a.tar", "oci-archive:/here/../a.tar"),
        ("oci:folder:1.2", "oci:/here/folder:1.2"),
        ("dir:/root", "dir:/root"),
        ("docker://example/web", "docker://docker.io/example/web:latest"),
        ("registry.example:5000/web", "docker://registry.example:5000/web:latest"),
        ("web:1", "docker://docker.io/library/web:1"),
    ],
)
def test_a_source_is_known_by_what_it_begins_with(text: str, whole: str) -> None:
    assert str(source.parse(text, Path("/here"))) == whole


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("recipe:", "'recipe:' lacks a recipe's name"),
        ("oci-archive:", "'oci-archive:' lacks a path"),
        ("dir:/a:b", "a directory holds one image; leave out 'b'"),
        ("Web", "write docker-archive:, oci-archive:, oci:, dir: and a path, recipe, or a"),
    ],
)
def test_what_is_no_source_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidSourceError) as refused:
        source.parse(text, Path("/here"))
    assert why in str(refused.value)
