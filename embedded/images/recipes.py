"""What goes into each image.

A recipe is data, and with the content of the files it names it is the key of the cache: to change
an image is to change its recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedded.images.model import ImageConfig

FILES = Path(__file__).parent / "files"
NFT = "/usr/sbin/nft"
TEMPLATE = "/usr/share/postgresql-template"
OPERATOR_WHEELS = "/opt/reference-operator/wheels"
OPERATOR_CODE = "/opt/reference-operator/code"


@dataclass(frozen=True, kw_only=True)
class Suite:
    """One Debian release, with the versions its packages carry in their names."""

    name: str
    postgresql: int
    python: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """One line of /etc/passwd, and of /etc/group with the same number."""

    name: str
    number: int
    home: str = "/"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to make a root file system.

    `prune` are shell patterns, relative to the root, of what is thrown away. `links` are pairs of
    name and target. `files` are pairs of target and a file's name in this package's `files`.
    `commands` run inside, as `config`'s user; so do `versions`, each of which prints one line that
    says what the image holds. `requirements` names a lock file under
    `requirements/`, whose wheels go to OPERATOR_WHEELS.
    """

    name: str
    packages: tuple[str, ...]
    config: ImageConfig
    prune: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    versions: tuple[tuple[str, ...], ...] = ()
    requirements: str = ""


SUITES = {
    suite.name: suite
    for suite in (
        Suite(name="bookworm", postgresql=15, python="3.11"),
        Suite(name="trixie", postgresql=17, python="3.13"),
    )
}

ACCOUNTS = (
    Account(name="root", number=0, home="/root"),
    Account(name="operator", number=2),
    Account(name="postgres", number=26, home="/var/lib/pgsql"),
    Account(name="pgbouncer", number=1001),
    Account(name="nobody", number=65534),
)

# mmdebstrap's variant "extract" implies nothing, not even a shell.
_SHELL = (
    "bash",
    "coreutils",
    "dash",
    "findutils",
    "gawk",
    "grep",
    "hostname",
    "libc-bin",
    "openssl",
    "perl-base",
    "procps",
    "sed",
)
_PRUNE = ("boot", "usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "var/cache/*")
_LINKS = (("/usr/bin/awk", "gawk"), ("/usr/bin/sh", "/bin/sh"), ("/usr/bin/bash", "/bin/bash"))
_TEMPLATE_MAKE = "/usr/local/bin/pg-template-make"
_TEMPLATE_COPY = "/usr/local/bin/pg-template-copy"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def postgresql(suite: Suite) -> Recipe:
    """PostgreSQL, its client and PgBouncer, with a template of a fresh cluster."""
    home = f"/usr/lib/postgresql/{suite.postgresql}"
    return Recipe(
        name="postgresql",
        packages=(
            *_SHELL,
            f"postgresql-{suite.postgresql}",
            f"postgresql-client-{suite.postgresql}",
            "pgbouncer",
            # For the node, not for containers: so the host needs none.
            "nftables",
        ),
        # Just-in-time compilation is a third of the size, and nothing here queries that much.
        prune=(
            *_PRUNE,
            "usr/lib/*/libLLVM*",
            "usr/lib/*/libz3.so*",
            f"{home[1:]}/lib/llvmjit*",
            f"{home[1:]}/lib/bitcode",
        ),
        directories=(
            "/pgdata",
            "/pgconf",
            "/pgwal",
            "/opt/crunchy",
            "/var/run/postgresql",
            TEMPLATE,
        ),
        links=(*_LINKS, (f"/usr/pgsql-{suite.postgresql}", home), ("/usr/pgsql", home)),
        files=((_TEMPLATE_MAKE, "pg-template-make"), (_TEMPLATE_COPY, "pg-template-copy")),
        commands=((_TEMPLATE_MAKE,),),
        versions=((f"{home}/bin/postgres", "--version"), ("/usr/sbin/pgbouncer", "--version")),
        config=ImageConfig(
            uid=26,
            gid=26,
            env={
                "PATH": f"{home}/bin:{_PATH}",
                "LANG": "C.UTF-8",
                "HOME": "/var/lib/pgsql",
                # Debian's psql falls back on a program that is not here, and long output is lost.
                "PAGER": "cat",
            },
        ),
    )


def operator(suite: Suite) -> Recipe:
    """Debian's Python and what the reference operator imports; its code is a layer on top."""
    python = f"/usr/bin/python{suite.python}"
    compile_all = (python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    return Recipe(
        name="operator",
        # No ca-certificates: it trusts no authority of theirs, and would read all at each start.
        packages=(*_SHELL, "python3", "tzdata"),
        prune=_PRUNE,
        directories=(OPERATOR_CODE, OPERATOR_WHEELS),
        links=_LINKS,
        requirements="operator.txt",
        commands=(
            (*compile_all, OPERATOR_WHEELS, f"/usr/lib/python{suite.python}", "/usr/lib/python3"),
        ),
        versions=((python, "--version"),),
        config=ImageConfig(
            uid=2,
            gid=2,
            env={
                "PATH": _PATH,
                "LANG": "C.UTF-8",
                "PYTHONPATH": f"{OPERATOR_CODE}:{OPERATOR_WHEELS}",
                "PYTHONUNBUFFERED": "1",
            },
            command=("python3", "-m", "reference.operator"),
        ),
    )


def recipes(suite: Suite) -> tuple[Recipe, ...]:
    """Return every recipe there is, for `suite`."""
    return (postgresql(suite), operator(suite))
