"""The content of the reference platform's images, tried inside them."""

from __future__ import annotations

import os
import pty
import shutil
import termios
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.images import builder, store
from embedded.images.cache import building, cache_directory
from embedded.images.model import Image
from reference.images import operator as recipe
from reference.images.postgresql import postgresql
from tests.reference.images.inside import run
from tests.terminals import read_to_end

COPIES = """
set -e
for each in one two; do
    pg-template-copy /tmp/$each
    pg_controldata /tmp/$each | sed -n 's/^Database system identifier: *//p'
done
pg_checksums --check --pgdata=/tmp/one >/dev/null
echo 'local all all trust' >/tmp/one/pg_hba.conf
pg_ctl --silent --wait --pgdata=/tmp/one --log=/tmp/log \
    --options='-k /tmp -c listen_addresses=' start || cat /tmp/log
sql() { psql -h /tmp -U postgres -v ON_ERROR_STOP=1 -Atqc "$1"; }
sql 'SELECT system_identifier FROM pg_control_system()'
sql 'CREATE EXTENSION amcheck; CREATE TABLE t AS SELECT 1; SELECT pg_switch_wal()' >/dev/null
pg_amcheck -h /tmp -U postgres postgres && echo sound
pg_ctl --silent --pgdata=/tmp/one --mode=fast stop
pg_checksums --check --pgdata=/tmp/one >/dev/null && echo whole
pg-template-copy /tmp/one 2>&1 || echo refused
"""

PAGED = """
set -e
pg-template-copy /tmp/one
echo 'local all all trust' >/tmp/one/pg_hba.conf
pg_ctl --silent --wait --pgdata=/tmp/one --log=/tmp/log \
    --options='-k /tmp -c listen_addresses=' start
psql -h /tmp -U postgres -c 'SELECT generate_series(1, 100)' >&0 2>&0
pg_ctl --silent --pgdata=/tmp/one --mode=fast stop
"""


@pytest.fixture(scope="module")
def database() -> Image:
    release = store.host_release()
    return store.ensure(postgresql(release), release, cache_directory())


@pytest.fixture(scope="module")
def operator() -> Image:
    release = store.host_release()
    libraries = store.ensure(recipe.operator(release), release, cache_directory())
    return store.ensure_layer(recipe.code(release), libraries, cache_directory())


def test_copies_of_the_template_are_clusters_of_their_own(database: Image) -> None:
    """Each with its identifier, which server and tools agree on; checksums and indexes are sound.

    A directory that is not empty is left alone.
    """
    one, two, served, *rest = run(database, COPIES).splitlines()
    assert one != two
    assert served == one
    assert rest == ["sound", "whole", "pg-template-copy: /tmp/one is not empty", "refused"]


def test_psql_shows_what_is_longer_than_the_terminal(database: Image) -> None:
    """Through its pager, which it takes wherever there is a terminal, and which must be there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    try:
        try:
            assert run(database, PAGED, stdin=theirs) == ""
        finally:
            os.close(theirs)
        said = read_to_end(ours).decode()
    finally:
        os.close(ours)
    assert "(100 rows)" in said


def test_the_database_image_has_what_scripts_need(database: Image) -> None:
    """The programs, the links that do not change with the version, the users."""
    script = (
        "set -e; for p in psql pg_basebackup pgbouncer openssl awk sed grep find ps perl hostname; "
        "do command -v $p >/dev/null; done; test /usr/pgsql/bin -ef /usr/pgsql-*/bin; whoami; "
        "postgres --version; psql --version; pgbouncer --version | head -n 1"
    )
    user, *versions = run(database, script).splitlines()
    assert user == "postgres"
    assert [line.split()[0] for line in versions] == ["postgres", "psql", "PgBouncer"]


def test_the_operator_image_runs_the_operators_code(operator: Image) -> None:
    """Debian's Python imports it with its libraries, compiled already."""
    script = (
        "set -e; python3 -c 'import reference.faults.operator; "
        "import reference.operator.__main__, aiohttp, cryptography, yaml; "
        "print(reference.__file__, aiohttp.__cached__)'; "
        'test -e "$(python3 -c "import aiohttp; print(aiohttp.__cached__)")"; whoami'
    )
    imported, user = run(operator, script).splitlines()
    assert imported.startswith(f"{recipe.CODE}/reference/__init__.py")
    assert user == "operator"


def test_a_change_of_the_code_makes_a_layer_only(tmp_path: Path, operator: Image) -> None:
    """The image of the libraries stays; the key follows the code."""
    for part in recipe.PARTS:
        source, copy = recipe.REPOSITORY / part, tmp_path / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    before = recipe.code_key(tmp_path)
    assert before == recipe.code_key()
    compiled = tmp_path / "reference" / "operator" / "__pycache__"
    compiled.mkdir()
    (compiled / "added.cpython-311.pyc.140063").write_bytes(b"half of it")
    assert before == recipe.code_key(tmp_path)
    (tmp_path / "reference" / "operator" / "added.py").write_text("ADDED = 1\n")
    assert recipe.code_key(tmp_path) != before
    target = cache_directory() / "operatorcode-test-0"
    layer = recipe.code(store.host_release(), tmp_path)
    base = replace(operator, layers=operator.layers[1:])
    with building(cache_directory()) as lock:
        try:
            builder.build_layer(layer, base, target, lock)
            names = {path.name for path in target.rglob("added*")}
        finally:
            shutil.rmtree(target)
    assert "added.py" in names
    assert any(name.endswith(".pyc") for name in names)
