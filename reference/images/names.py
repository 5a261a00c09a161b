"""The names of Percona's images, without the registry's host, as patterns of an image table."""

PGBOUNCER = (
    "percona/percona-pgbouncer",
    "perconalab/percona-pgbouncer",
    # Before 2.7 all were one repository, whose tag said what it held.
    "percona/percona-postgresql-operator:*-pgbouncer*",
    "perconalab/percona-postgresql-operator:*-pgbouncer*",
)
POSTGRESQL = (
    "percona/percona-distribution-postgresql",
    "perconalab/percona-distribution-postgresql",
    "percona/percona-postgresql-operator:*-postgres",
    "perconalab/percona-postgresql-operator:*-postgres",
)
PGBACKREST = (
    "percona/percona-pgbackrest",
    "perconalab/percona-pgbackrest",
    "percona/percona-postgresql-operator:*-pgbackrest*",
    "perconalab/percona-postgresql-operator:*-pgbackrest*",
)
