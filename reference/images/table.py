"""The image table of the reference platform: what stands in for Percona's own images."""

from __future__ import annotations

from dataclasses import replace

from embedded.images.recipe import RELEASES, DebianRelease
from embedded.images.table import ImageSource
from reference.images.names import PGBACKREST, PGBOUNCER, POSTGRESQL
from reference.images.operator import code, operator
from reference.images.postgresql import PGBOUNCER_UID, postgresql


def images_with_another_postgresql(release: DebianRelease) -> tuple[ImageSource, ...]:
    """Return the rows for a Debian release, with the PostgreSQL and PgBouncer of another one."""
    return images(release, next(each for each in RELEASES.values() if each != release))


def images(
    release: DebianRelease, data_plane: DebianRelease | None = None
) -> tuple[ImageSource, ...]:
    """Return the rows for a Debian release; the data plane may be of another one."""
    database = postgresql(data_plane or release)
    return (
        ImageSource(
            patterns=PGBOUNCER,
            recipe=database,
            config=replace(database.config, uid=PGBOUNCER_UID, gid=PGBOUNCER_UID),
            release=data_plane,
        ),
        ImageSource(patterns=(*POSTGRESQL, *PGBACKREST), recipe=database, release=data_plane),
        ImageSource(
            patterns=("reference-operator",), recipe=operator(release), layer=code(release)
        ),
    )
