"""Names, labels and annotations of the objects of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.client import Json

MANAGER = "percona-postgresql-operator"
DOMAIN = "cluster.local"
POSTGRES_PORT = 5432
REPLICATION_USER = "_crunchyrepl"
PGBOUNCER_USER = "_crunchypgbouncer"
MONITOR_USER = "monitor"

_PREFIX = "postgres-operator.crunchydata.com/"
CLUSTER = _PREFIX + "cluster"
CERTIFICATE = _PREFIX + "cluster-certificate"
DATA = _PREFIX + "data"
INSTANCE = _PREFIX + "instance"
INSTANCE_SET = _PREFIX + "instance-set"
PGBACKREST = _PREFIX + "pgbackrest"
USER = _PREFIX + "pguser"
ROLE = _PREFIX + "role"
# On a Pod template: digest of all that asks for a new Pod when it changes.
REVISION = "pgv2.percona.com/revision"
# On the volume claim of an instance: whether its data is that of a primary or of a replica.
DATA_OF = "pgv2.percona.com/data-of"

DELETE_SSL = "percona.com/delete-ssl"
DELETE_PVC = "percona.com/delete-pvc"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Object names of one cluster, and the DNS names of its Services, under `domain`."""

    namespace: str
    cluster: str
    domain: str = DOMAIN

    def of(self, part: str) -> str:
        """Return `<cluster>-<part>`."""
        return f"{self.cluster}-{part}"

    @property
    def root_secret(self) -> str:
        """Secret with the generated root, `root.crt` and `root.key`."""
        return self.of("cluster-ca-cert")

    @property
    def server_secret(self) -> str:
        """Secret with the generated leaf that the database serves."""
        return self.of("cluster-cert")

    @property
    def replication_secret(self) -> str:
        """Secret with the generated leaf that replicas show."""
        return self.of("replication-cert")

    @property
    def pgbackrest_secret(self) -> str:
        """Secret with what pgBackRest's repository host and its clients show."""
        return self.of("pgbackrest")

    @property
    def pgbouncer_secret(self) -> str:
        """Secret with PgBouncer's users, its leaf, and what its clients should trust."""
        return self.of("pgbouncer")

    @property
    def roles_secret(self) -> str:
        """Secret with the SQL that makes the cluster's roles and databases."""
        return self.of("roles")

    def user_secret(self, user: str) -> str:
        """Return the name of the Secret with the credentials of a user."""
        return self.of(f"pguser-{user}")

    def host(self, part: str) -> str:
        """Return the host name of a Service as users' Secrets give it, `<c>-<part>.<ns>.svc`."""
        return f"{self.of(part)}.{self.namespace}.svc"

    def dns(self, part: str) -> tuple[str, str, str, str]:
        """Return all DNS names of a Service, the full one first, as the contract orders them."""
        return self._forms(self.of(part))

    def pod_dns(self, instance: str) -> tuple[str, str, str, str]:
        """Return all DNS names of an instance's Pod, under the headless Service `<c>-pods`."""
        return self._forms(f"{instance}-0.{self.of('pods')}")

    def labels(self, **more: str) -> Json:
        """Return labels for an object of the cluster, with the ones Kubernetes recommends."""
        return {
            CLUSTER: self.cluster,
            "app.kubernetes.io/instance": self.cluster,
            "app.kubernetes.io/managed-by": MANAGER,
            "app.kubernetes.io/name": "percona-postgresql",
            "app.kubernetes.io/part-of": "percona-postgresql",
        } | more

    def _forms(self, base: str) -> tuple[str, str, str, str]:
        short = f"{base}.{self.namespace}"
        return (f"{short}.svc.{self.domain}", f"{short}.svc", short, base)
