#!/bin/sh
# Makes every requirements/*.txt anew from pyproject.toml: pinned, hashed, one per tox environment.
# Each later file is held to the versions of the first, so that all environments agree.
set -eu
cd "$(dirname "$0")"
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --no-header --no-annotate --output-file "$out" "$@"
}
lock conformance.txt ../pyproject.toml --extra kind --extra embedded
lock test.txt ../pyproject.toml --extra kind --extra embedded --extra test -c conformance.txt
lock types.txt ../pyproject.toml --extra kind --extra embedded --extra test --extra types -c test.txt
# The image of the reference operator is made for the Python of the image, which Debian chooses.
lock operator.txt operator.in -c conformance.txt
# For an image of Debian 12, which has the libraries that Patroni needs.
lock patroni.txt patroni.in --no-deps
lock lint.txt lint.in -c test.txt
# What the container image has: no extras.
lock package.txt ../pyproject.toml -c conformance.txt
lock build.txt build.in -c test.txt
lock release.txt release.in -c test.txt
lock hooks.txt hooks.in -c test.txt
lock bootstrap.txt bootstrap.in
