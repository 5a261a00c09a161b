"""The names of Percona's images, without the registry's host, as patterns of an image table."""

from __future__ import annotations

_OWNERS = ("percona", "perconalab")
# Before 2.7 all were one repository, whose tag said what it held.
_JOINT = "percona-postgresql-operator"


def _of_both(*names: str) -> tuple[str, ...]:
    return tuple(f"{owner}/{name}" for owner in _OWNERS for name in names)


PGBOUNCER = _of_both("percona-pgbouncer", f"{_JOINT}:*-pgbouncer*")
PGBACKREST = _of_both("percona-pgbackrest", f"{_JOINT}:*-pgbackrest*")
POSTGRESQL = _of_both("percona-distribution-postgresql", f"{_JOINT}:*-postgres")


def postgresql(major: int) -> tuple[str, ...]:
    """Return patterns for the images of a major version of PostgreSQL, or of none that is named."""
    tags = ("latest", str(major), f"{major}.*", f"{major}-*")
    return _of_both(
        *(f"percona-distribution-postgresql:{tag}" for tag in tags),
        f"{_JOINT}:*-ppg{major}-postgres",
        f"{_JOINT}:*-ppg{major}.*-postgres",
    )
