"""The images that stand in for Percona's: which one for which name, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from embedded.images import store, table
from embedded.images.cache import ImageError, cache_directory
from embedded.images.model import Image
from embedded.images.oci.source import RecipeSource, RegistrySource
from embedded.images.recipe import RELEASES
from embedded.images.table import ImageSource, NamedSource, OwnImage, with_sources
from reference.images.postgresql import MAJOR
from reference.images.standins import stand_ins
from reference.images.subject import subject_images
from reference.images.table import images
from tests.reference.images.inside import run

HUB = "docker.io/percona"
OPERATOR = f"{HUB}/percona-postgresql-operator"
POSTGRES = f"{HUB}/percona-distribution-postgresql"
PGBOUNCER = f"{HUB}/percona-pgbouncer:1.25.1-1"
PGBACKREST = f"{HUB}/percona-pgbackrest:2.58.0-1"

DATABASE = """
set -e
initdb --locale=en_US.UTF-8 --encoding=UTF8 --no-sync --pgdata=/tmp/data --auth=trust >/tmp/log
echo "shared_preload_libraries = 'pg_stat_monitor,pgaudit'" >>/tmp/data/postgresql.conf
pg_ctl --silent --wait --pgdata=/tmp/data --log=/tmp/log \
    --options='-k /tmp -c listen_addresses= -c fsync=off' start || cat /tmp/log
for each in pg_stat_monitor pgaudit pg_repack; do
    psql --host=/tmp --quiet --command="CREATE EXTENSION $each" postgres
done
pg_ctl --silent --pgdata=/tmp/data --mode=fast stop
echo 'somebody:x:12345:26::/:/bin/sh' >/tmp/passwd
: >/tmp/group
LD_PRELOAD=/usr/lib64/libnss_wrapper.so NSS_WRAPPER_PASSWD=/tmp/passwd \
    NSS_WRAPPER_GROUP=/tmp/group getent passwd somebody
word=said envsubst <<<'$word'
grep --only-matching --perl-regexp 'b(?=c)' <<<abc
for each in curl install pkill pgrep hostname pg_waldump pg_rewind pg_basebackup python3; do
    command -v "$each" >/dev/null || echo "no $each"
done
test /usr/pgsql-*/bin/postgres -ef "$(command -v postgres)"
test ! -e /etc/pgbackrest.conf
id --user --name
patronictl version
pgbackrest version
"""


def rows(*references: str, named: Sequence[NamedSource] = ()) -> list[ImageSource | OwnImage]:
    return list(subject_images(references, named)(RELEASES["bookworm"]))


def recipe_of(row: ImageSource | OwnImage) -> str:
    assert isinstance(row, ImageSource)
    assert row.release is not None
    assert row.recipe.name == f"patroni-{MAJOR[row.release.name]}"
    return row.recipe.name


def test_all_of_a_cluster_are_of_the_version_that_the_databases_tag_names() -> None:
    """PgBouncer and pgBackRest too, whose tags do not say; the operator's own is pulled."""
    operator = f"{OPERATOR}:2.8.0"
    own, *others = rows(operator, PGBOUNCER, PGBACKREST, f"{POSTGRES}:17.6-1")
    assert isinstance(own, OwnImage)
    assert own.pattern == "percona/percona-postgresql-operator:2.8.0"
    assert isinstance(own.source, RegistrySource)
    assert str(own.source) == f"docker://{operator}"
    assert [recipe_of(row) for row in others] == ["patroni-17"] * 3
    users = {
        row.patterns: row.config and row.config.uid
        for row in others
        if isinstance(row, ImageSource)
    }
    assert users == {
        ("percona/percona-pgbouncer:1.25.1-1",): 1001,
        ("percona/percona-pgbackrest:2.58.0-1",): None,
        ("percona/percona-distribution-postgresql:17.6-1",): None,
    }


@pytest.mark.parametrize(
    ("database", "recipe"),
    [
        (f"{POSTGRES}:18.3-1", "patroni-18"),
        (f"{POSTGRES}:15", "patroni-15"),
        (f"{POSTGRES}:18.3-1@sha256:{'0' * 64}", "patroni-18"),
        (POSTGRES, "patroni-18"),
        (f"{OPERATOR}:2.7.0-ppg17.5.2-postgres", "patroni-17"),
        ("perconalab/percona-postgresql-operator:main-ppg18-postgres", "patroni-18"),
    ],
)
def test_a_tag_names_the_version(database: str, recipe: str) -> None:
    assert [recipe_of(row) for row in rows(PGBACKREST, database)] == [recipe, recipe]


@pytest.mark.parametrize("tag", ["16.4", "180", "17x"])
def test_a_version_that_debian_does_not_have_is_refused_with_those_there_are(tag: str) -> None:
    with pytest.raises(ImageError) as refused:
        rows(f"{POSTGRES}:{tag}")
    text = f"images: {POSTGRES}:{tag}: recipes have PostgreSQL 18, 17, 15; name its image of one"
    assert str(refused.value).startswith(text)


def test_what_is_no_name_of_an_image_is_refused() -> None:
    with pytest.raises(ImageError, match=r"^images: 'x/Operator:1' names no image: "):
        rows("x/Operator:1")


def test_a_source_that_is_named_goes_before() -> None:
    """The rest is of the version that a tag names, also where another source has the database."""
    name = "percona/percona-distribution-postgresql"
    registry = rows(f"{OPERATOR}:2.8.0")[0]
    assert isinstance(registry, OwnImage)
    named = [NamedSource(pattern=name, source=registry.source)]
    own, pooler = rows(f"{POSTGRES}:16.4", PGBOUNCER, named=named)
    assert own == OwnImage(pattern=name, source=registry.source)
    assert recipe_of(pooler) == "patroni-18"
    recipe = [NamedSource(pattern=name, source=RecipeSource(name="patroni-15"))]
    database, backup = rows(f"{POSTGRES}:15.14-1", PGBACKREST, named=recipe)
    assert (recipe_of(database), recipe_of(backup)) == ("patroni-15", "patroni-15")
    without = [NamedSource(pattern=f"{name}:17.6-1", source=RecipeSource())]
    assert [recipe_of(row) for row in rows(f"{POSTGRES}:17.6-1", named=without)] == ["patroni-17"]


def test_a_recipe_with_another_version_than_the_tags_is_refused() -> None:
    name = "percona/percona-distribution-postgresql"
    named = [NamedSource(pattern=name, source=RecipeSource(name="patroni-15"))]
    with pytest.raises(ImageError) as refused:
        rows(f"{POSTGRES}:17.6-1", PGBACKREST, named=named)
    assert str(refused.value) == (
        f"images: {name}=recipe:patroni-15: it has PostgreSQL 15, and the tag of"
        f" {POSTGRES}:17.6-1 names another; name an image of that version as well,"
        " by --image postgres="
    )


def test_a_recipe_that_is_named_for_one_is_that_of_the_others() -> None:
    """PgBouncer alone may be of another: it speaks with PostgreSQL only."""
    backup = NamedSource(
        pattern="percona/percona-pgbackrest", source=RecipeSource(name="patroni-17")
    )
    _, database, pooler = rows(PGBACKREST, POSTGRES, PGBOUNCER, named=[backup])
    assert (recipe_of(database), recipe_of(pooler)) == ("patroni-17", "patroni-17")
    other = NamedSource(
        pattern="percona/percona-distribution-postgresql", source=RecipeSource(name="patroni-18")
    )
    with pytest.raises(ImageError) as refused:
        rows(POSTGRES, PGBACKREST, named=[backup, other])
    assert str(refused.value) == (
        "images: percona/percona-pgbackrest=recipe:patroni-17:"
        " percona/percona-distribution-postgresql is of recipe:patroni-18,"
        " and pgBackRest works with its own version alone; name one recipe for both"
    )


def test_a_recipe_can_be_named_beside_the_reference_operator() -> None:
    """By an image's name alone it is a stand-in's, as the reference's own is there anyway."""

    def first(pattern: str, name: str | None = None) -> ImageSource:
        named = [NamedSource(pattern=pattern, source=RecipeSource(name=name))]
        row = with_sources(images, named, stand_ins)(RELEASES["bookworm"])[0]
        assert isinstance(row, ImageSource)
        return row

    assert recipe_of(first("percona/percona-distribution-postgresql")) == "patroni-18"
    assert recipe_of(first("percona/percona-distribution-postgresql:15.1")) == "patroni-15"
    pooler = first("percona/percona-pgbouncer", "patroni-15")
    assert pooler.config is not None
    assert (recipe_of(pooler), pooler.config.uid) == ("patroni-15", 1001)
    assert first("example/x", "postgresql").recipe.name == "postgresql"


@pytest.fixture(scope="module")
def made() -> dict[str, Image]:
    """The images of a cluster by name, of the machine's own Debian release."""
    release = store.host_release()
    references = (f"{POSTGRES}:{MAJOR[release.name]}", PGBOUNCER, PGBACKREST)
    rules = table.build(rows(*references), release, cache_directory())
    return {rule.pattern.partition(":")[0]: rule.image for rule in rules}


def test_the_database_image_has_what_the_operator_starts(made: dict[str, Image]) -> None:
    """A cluster of its locale with its extensions, another name for its user, all programs."""
    database = made["percona/percona-distribution-postgresql"]
    wrapped, said, seen, user, patroni, backup = run(database, DATABASE).splitlines()
    assert wrapped == "somebody:x:12345:26::/:/bin/sh"
    assert (said, seen, user) == ("said", "b", "postgres")
    assert patroni.startswith("patronictl version 4.")
    assert backup.startswith("pgBackRest 2.")


def test_the_others_have_their_users(made: dict[str, Image]) -> None:
    pooler = made["percona/percona-pgbouncer"]
    name, version, *_ = run(pooler, "id -u -n; pgbouncer --version").splitlines()
    assert (name, pooler.config.gid) == ("pgbouncer", 1001)
    assert version.startswith("PgBouncer 1.")
    backup = made["percona/percona-pgbackrest"]
    assert run(backup, "id -u; getent passwd postgres").splitlines() == [
        "26",
        "postgres:x:26:26:postgres:/var/lib/pgsql:/bin/bash",
    ]
