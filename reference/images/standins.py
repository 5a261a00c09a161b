"""Images that stand in for Percona's own, for an operator that runs their programs: one recipe.

All programs are in one root file system, as which PostgreSQL, PgBouncer and pgBackRest run with
users of their own: pgBackRest refuses to speak with another version of itself.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.images.model import ImageConfig
from embedded.images.recipe import (
    BASE_LINKS,
    BASE_PACKAGES,
    BASE_PATH,
    BASE_PRUNE,
    RELEASES,
    DebianRelease,
    File,
    Recipe,
    Wheels,
)
from embedded.images.table import ImageSource
from reference.images.names import PGBACKREST, PGBOUNCER, postgresql
from reference.images.postgresql import ACCOUNTS, MAJOR, PGBOUNCER_UID, POSTGRES_UID, compiling

_REPOSITORY = Path(__file__).parents[2]
_FILES = Path(__file__).parent / "files"
_PYTHON = "/usr/lib/python3/dist-packages"
_MONITOR = "pg_stat_monitor"
_SET_UP = """
set -e
localedef -i en_US -f UTF-8 en_US.UTF-8
rm -r /usr/share/i18n
"""


@dataclass(frozen=True, kw_only=True)
class _Patroni:
    """What the recipe of a Debian release has for Patroni."""

    packages: tuple[str, ...]
    files: tuple[File, ...] = ()
    wheels: Wheels | None = None


def _patroni(release: DebianRelease) -> _Patroni:
    """Return Debian's Patroni; on Debian 12, which has 3.0, a newer one with Debian's libraries."""
    if release.name != "bookworm":
        return _Patroni(packages=("patroni",))
    libraries = ("cdiff", "click", "dateutil", "prettytable", "psutil", "psycopg2", "urllib3")
    return _Patroni(
        packages=("python3", *(f"python3-{name}" for name in (*libraries, "yaml"))),
        files=(
            File(target="/usr/bin/patroni", source=_FILES / "patroni"),
            File(target="/usr/bin/patronictl", source=_FILES / "patroni"),
        ),
        wheels=Wheels(
            lock=_REPOSITORY / "requirements" / "patroni.txt",
            target=_PYTHON,
            python=release.python,
        ),
    )


def programs(release: DebianRelease) -> Recipe:
    """Return the recipe of PostgreSQL with Patroni, PgBouncer and pgBackRest."""
    major = MAJOR[release.name]
    home = f"/usr/lib/postgresql/{major}"
    share = f"/usr/share/postgresql/{major}"
    libraries = f"/usr/lib/{platform.machine()}-linux-gnu"
    python = f"/usr/bin/python{release.python}"
    patroni = _patroni(release)
    return Recipe(
        name=f"patroni-{major}",
        packages=(
            *BASE_PACKAGES,
            "curl",
            "gettext-base",
            "gzip",
            "libnss-wrapper",
            "locales",
            "perl-base",
            "pgbackrest",
            "pgbouncer",
            f"postgresql-{major}",
            f"postgresql-{major}-pgaudit",
            f"postgresql-{major}-repack",
            f"postgresql-client-{major}",
            *patroni.packages,
            "tar",
        ),
        accounts=ACCOUNTS,
        prune=(
            *BASE_PRUNE,
            "etc/pgbackrest.conf",
            "var/run",
            *compiling(major),
        ),
        directories=(
            "/opt/crunchy",
            "/pgconf",
            "/pgdata",
            "/pgwal",
            "/run/postgresql",
            "/usr/lib/locale",
            "/usr/lib64",
            "/var/lib/pgbackrest",
            "/var/log/pgbackrest",
            "/var/spool/pgbackrest",
        ),
        links=(
            *BASE_LINKS,
            ("/var/run", "/run"),
            (f"/usr/pgsql-{major}", home),
            ("/usr/lib64/libnss_wrapper.so", f"{libraries}/libnss_wrapper.so"),
            # Any library of PostgreSQL's that does nothing when it is loaded.
            (f"{home}/lib/{_MONITOR}.so", "tablefunc.so"),
        ),
        files=(
            *patroni.files,
            *(
                File(target=f"{share}/extension/{name}", source=_FILES / name, mode=0o644)
                for name in (f"{_MONITOR}.control", f"{_MONITOR}--2.0.sql")
            ),
        ),
        wheels=patroni.wheels,
        commands=(
            ("sh", "-c", _SET_UP),
            (python, "-m", "compileall", "-q", f"/usr/lib/python{release.python}", _PYTHON),
        ),
        versions=(
            (f"{home}/bin/postgres", "--version"),
            ("/usr/bin/patroni", "--version"),
            ("/usr/sbin/pgbouncer", "--version"),
            ("/usr/bin/pgbackrest", "version"),
        ),
        config=ImageConfig(
            uid=POSTGRES_UID,
            gid=POSTGRES_UID,
            env={
                "PATH": f"/usr/pgsql-{major}/bin:{BASE_PATH}",
                "LANG": "C.UTF-8",
                "HOME": "/var/lib/pgsql",
                # Debian's psql falls back on a program that is not here, and long output is lost.
                "PAGER": "cat",
            },
        ),
    )


def stand_ins(_: DebianRelease) -> tuple[ImageSource, ...]:
    """Return the rows of all recipes, those with the newest PostgreSQL first."""
    return tuple(row for release in reversed(RELEASES.values()) for row in rows(release))


def rows(release: DebianRelease) -> tuple[ImageSource, ...]:
    """Return the rows for Percona's names.

    A tag of PostgreSQL's must be of the major version that the release has.
    """
    recipe = programs(release)
    pooler = replace(recipe.config, uid=PGBOUNCER_UID, gid=PGBOUNCER_UID)
    others = (*postgresql(MAJOR[release.name]), *PGBACKREST)
    return (
        ImageSource(patterns=PGBOUNCER, recipe=recipe, config=pooler, release=release),
        ImageSource(patterns=others, recipe=recipe, release=release),
    )
