"""Promises about the instances: their number, mounts, start, reload and restart."""

from __future__ import annotations

from embedded.client import Json
from reference.operator.context import Context
from reference.operator.model import Instance, InstanceSet
from reference.operator.names import POSTGRES_PORT, REPLICATION_USER
from reference.operator.postgres.parameters import CONFIG, SOCKETS, TLS
from reference.operator.scripts import script
from reference.operator.tls import Source

DATA = "/pgdata"
ROLES = "/etc/roles"


class Instances:
    """The servers: a primary and its replicas."""

    def instance_sets(self, context: Context) -> tuple[InstanceSet, ...]:
        """Return the sets of instances: as many instances as the user asks for."""
        return context.cluster.instance_sets

    def mounted_certificates(self, context: Context, instance: Instance) -> dict[str, Source]:
        """Return what is mounted in each directory below /pgconf/tls.

        The leaf that the database serves, and under `replication/` the one that replicas show.
        """
        names = context.names
        return {
            "": context.tls.server or Source(secret=names.server_secret),
            "replication/": context.tls.replication or Source(secret=names.replication_secret),
        }

    def conninfo(self, context: Context) -> dict[str, str]:
        """Return how a replica connects to the primary: by its certificate alone, over TLS.

        The primary's certificate is verified by the CA beside the replica's own.
        """
        own = f"{TLS}/replication"
        return {
            "host": context.names.of("primary"),
            "port": str(POSTGRES_PORT),
            "user": REPLICATION_USER,
            "dbname": "postgres",
            "sslmode": "verify-ca",
            "sslcert": f"{own}/tls.crt",
            "sslkey": f"{own}/tls.key",
            "sslrootcert": f"{own}/ca.crt",
            "gssencmode": "disable",
            "connect_timeout": "5",
            # A WAL receiver heeds no connect_timeout, and an old Pod's address answers nothing.
            "tcp_user_timeout": "3000",
        }

    def database_container(self, context: Context, instance: Instance) -> Json:
        """Return the container of an instance: the server, with what its files say and no more."""
        container: Json = {
            "name": "database",
            "image": context.cluster.image,
            "imagePullPolicy": context.cluster.pull_policy,
            "command": ["bash", f"{CONFIG}/database.sh"],
            "args": [],
            "env": self._environment(context, instance),
            "ports": [{"name": "postgres", "containerPort": POSTGRES_PORT, "protocol": "TCP"}],
            "startupProbe": waiting_probe(f"{CONFIG}/ready.sh"),
            "readinessProbe": {"tcpSocket": {"port": POSTGRES_PORT}, "periodSeconds": 10},
            "volumeMounts": [
                {"name": "cert-volume", "mountPath": TLS, "readOnly": True},
                {"name": "database-config", "mountPath": CONFIG, "readOnly": True},
                {"name": "roles", "mountPath": ROLES, "readOnly": True},
                {"name": "postgres-data", "mountPath": DATA},
            ],
        }
        if instance.instance_set.resources:
            container["resources"] = instance.instance_set.resources
        return container

    def reloaded_volumes(self, instance: Instance) -> frozenset[str]:
        """Return the volumes whose new content the server loads without a restart."""
        return frozenset({CONFIG, TLS})

    def restart_annotations(self, context: Context) -> dict[str, str]:
        """Return what restarts instances when it changes, beside their manifest: nothing."""
        return {}

    def script(self, name: str) -> str:
        """Return the text of a script that the containers run."""
        return script(name)

    def _environment(self, context: Context, instance: Instance) -> list[Json]:
        values = {
            "PGDATA": f"{DATA}/pg{context.cluster.postgres_version}",
            "PGHOST": SOCKETS,
            "PGPORT": str(POSTGRES_PORT),
            "INSTANCE": instance.name,
            "ROLE": instance.role,
            "PRIMARY": context.names.of("primary"),
            "RELOAD_ON": " ".join(sorted(self.reloaded_volumes(instance))),
        }
        return [{"name": name, "value": value} for name, value in values.items()]


def waiting_probe(command: str) -> Json:
    """Return a start-up probe by a command that itself waits until all is well."""
    return {
        "exec": {"command": ["bash", command]},
        "timeoutSeconds": 60,
        "periodSeconds": 1,
        "failureThreshold": 1000,
    }
