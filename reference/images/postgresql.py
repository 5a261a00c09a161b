"""The image of the data plane: PostgreSQL, its client and PgBouncer."""

from __future__ import annotations

from pathlib import Path

from embedded.images.model import ImageConfig
from embedded.images.recipe import (
    BASE_LINKS,
    BASE_PACKAGES,
    BASE_PATH,
    BASE_PRUNE,
    Account,
    DebianRelease,
    File,
    Recipe,
)

TEMPLATE = "/usr/share/postgresql-template"
POSTGRES_UID = 26
PGBOUNCER_UID = 1001
MAJOR = {"bookworm": 15, "trixie": 17, "forky": 18}
"""The major version of PostgreSQL in each Debian release."""
ACCOUNTS = (
    Account(name="postgres", uid=POSTGRES_UID, home="/var/lib/pgsql"),
    Account(name="pgbouncer", uid=PGBOUNCER_UID),
)
_FILES = Path(__file__).parent / "files"
_TEMPLATE_MAKE = "/usr/local/bin/pg-template-make"
_TEMPLATE_COPY = "/usr/local/bin/pg-template-copy"


def compiling(major: int) -> tuple[str, ...]:
    """Return the files of just-in-time compilation, as an image may do without.

    They are a third of its size, and nothing here queries that much.
    """
    library = f"usr/lib/postgresql/{major}/lib"
    return (
        "usr/lib/*/libLLVM*",
        "usr/lib/*/libz3.so*",
        f"{library}/llvmjit*",
        f"{library}/bitcode",
    )


def postgresql(release: DebianRelease) -> Recipe:
    """Return the recipe of PostgreSQL and PgBouncer, with a template of a fresh cluster."""
    major = MAJOR[release.name]
    home = f"/usr/lib/postgresql/{major}"
    return Recipe(
        name="postgresql",
        packages=(
            *BASE_PACKAGES,
            "openssl",
            "perl-base",
            f"postgresql-{major}",
            f"postgresql-client-{major}",
            "pgbouncer",
        ),
        accounts=ACCOUNTS,
        prune=(*BASE_PRUNE, *compiling(major)),
        directories=(
            "/pgdata",
            "/pgconf",
            "/pgwal",
            "/opt/crunchy",
            "/var/run/postgresql",
            TEMPLATE,
        ),
        links=(*BASE_LINKS, (f"/usr/pgsql-{major}", home), ("/usr/pgsql", home)),
        files=(
            File(target=_TEMPLATE_MAKE, source=_FILES / "pg-template-make"),
            File(target=_TEMPLATE_COPY, source=_FILES / "pg-template-copy"),
        ),
        commands=((_TEMPLATE_MAKE,),),
        versions=((f"{home}/bin/postgres", "--version"), ("/usr/sbin/pgbouncer", "--version")),
        config=ImageConfig(
            uid=POSTGRES_UID,
            gid=POSTGRES_UID,
            env={
                "PATH": f"{home}/bin:{BASE_PATH}",
                "LANG": "C.UTF-8",
                "HOME": "/var/lib/pgsql",
                # Debian's psql falls back on a program that is not here, and long output is lost.
                "PAGER": "cat",
            },
        ),
    )
