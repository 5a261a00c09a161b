"""Faults of the chapters CONN and REPL: who gets in, and by which name."""

from reference.faults.fault import Fault, Hit

LONG_POOLER_HOST = Fault(
    name="long-pooler-host",
    breaks="pgbouncer-uri names the host by its full name, with the cluster's domain.",
    requirements=("CONN-1",),
)
POOLER_URI_WITHOUT_TLS = Fault(
    name="pooler-uri-without-tls",
    breaks="pgbouncer-uri ends in ?sslmode=disable.",
    requirements=("CONN-1",),
    collateral=(Hit(requirement="CONN-2", reason="psql then does not ask for TLS"),),
)
PASSWORD_NOT_ENCODED = Fault(
    name="password-not-encoded",
    breaks="The password in pgbouncer-uri, which has a slash, is not percent-encoded.",
    requirements=("CONN-1",),
)
SESSIONS_OF_ANOTHER_ROLE = Fault(
    name="sessions-of-another-role",
    breaks="In a cluster without settings of its own, users' sessions begin as role monitor.",
    requirements=("CONN-2",),
    where="data plane",
)
POOLER_LEAF_OF_A_NAMESAKE = Fault(
    name="pooler-leaf-of-a-namesake",
    breaks="PgBouncer's leaf is signed by another root that has the published root's name.",
    requirements=("CONN-2", "CONN-4a"),
    collateral=tuple(
        Hit(requirement=each, reason="its control, the published root, fails")
        for each in ("AUTO-3a", "CONN-3", "CONN-4b", "CONN-6")
    ),
)
POOLER_TRUSTS_A_LEAF = Fault(
    name="pooler-trusts-a-leaf",
    breaks="With generated certificates PgBouncer has the replication leaf for a root to trust.",
    requirements=("CONN-2",),
    collateral=tuple(
        Hit(requirement=each, reason="its control, a login through PgBouncer, is kept waiting")
        for each in ("CONN-3", "CONN-6")
    ),
    where="data plane",
)
ROOT_OF_THE_NAMESPACE = Fault(
    name="root-of-the-namespace",
    breaks="All clusters of a namespace have roots of one key.",
    requirements=("CONN-3",),
    collateral=(
        Hit(requirement="AUTO-3a", reason="the same breach, seen in the files"),
        Hit(requirement="REPL-4", reason="a neighbour's certificate then is none of another CA"),
    ),
    versions=("2.2-2.4",),
)
POOLER_NAME_MISSING = Fault(
    name="pooler-name-missing",
    breaks="PgBouncer's leaf lacks the name <c>-pgbouncer.<ns>.",
    requirements=("CONN-4a",),
)
LOCALHOST_IN_LEAF = Fault(
    name="localhost-in-leaf",
    breaks="The leaves of <inst>-certs are good for localhost too.",
    requirements=("CONN-4b",),
)
PLAINTEXT_BY_DEFAULT = Fault(
    name="plaintext-by-default",
    breaks="The default rule of the replicas is of type host.",
    requirements=("CONN-6",),
    where="data plane",
)
ANOTHER_ROOT_FILE = Fault(
    name="node-another-root-file",
    breaks="Pods beside the clusters find another root of the same name where root.crt is mounted.",
    requirements=("CONN-7",),
    collateral=(Hit(requirement="CONN-2", reason="psql trusts what that file holds"),),
    where="node",
)
TYPED_SECRET = Fault(
    name="typed-secret",
    breaks="<c>-cluster-cert is of type kubernetes.io/tls.",
    requirements=("CONN-8",),
    versions=("2.9-3.1",),
)

PLAIN_REPLICATION = Fault(
    name="plain-replication",
    breaks="Outside tlsOnly, replicas stream without TLS; a rule admits their addresses.",
    requirements=("REPL-1",),
    collateral=(Hit(requirement="REPL-2", reason="without TLS there is no certificate to show"),),
    where="data plane",
)
REPLICA_STREAMS_ONCE = Fault(
    name="replica-streams-once",
    breaks="Replicas stream until they are ready, and then no more.",
    requirements=("REPL-1",),
    where="data plane",
    deadlines=(("ready", 15),),
)
REPLICA_SHOWS_INSTANCE_LEAF = Fault(
    name="replica-shows-instance-leaf",
    breaks="Replicas authenticate by the leaf of their instance, mapped to _crunchyrepl.",
    requirements=("REPL-2",),
    where="data plane",
)
REPLICATION_USER_TRUSTED = Fault(
    name="replication-user-trusted",
    breaks="_crunchyrepl needs no certificate for database postgres.",
    requirements=("REPL-3",),
    collateral=(Hit(requirement="REPL-6", reason="where none is needed, any name will do"),),
    where="data plane",
)
REPLICATION_USER_BY_PASSWORD = Fault(
    name="replication-user-by-password",
    breaks="At database postgres _crunchyrepl is asked for a password, not for a certificate.",
    requirements=("REPL-3", "REPL-6", "REPL-7"),
    collateral=tuple(
        Hit(requirement=each, reason="its control, the certificate alone, is refused there")
        for each in ("REPL-4", "REPL-5")
    ),
    where="data plane",
)
REPLICA_ASKS_NO_CERTIFICATE = Fault(
    name="replica-asks-no-certificate",
    breaks="Replicas ask no client for a certificate and trust _crunchyrepl.",
    requirements=("REPL-4",),
    collateral=(
        Hit(requirement="REPL-3", reason="no certificate is asked for"),
        Hit(requirement="REPL-6", reason="no certificate is asked for"),
    ),
    where="data plane",
)
PLAIN_REPLICATION_USER = Fault(
    name="plain-replication-user",
    breaks="Outside tlsOnly, _crunchyrepl is let in without TLS, and nobody else.",
    requirements=("REPL-5",),
    where="data plane",
)
SERVER_LEAF_MAY_REPLICATE = Fault(
    name="server-leaf-may-replicate",
    breaks="The external leaf's CN is mapped to _crunchyrepl, too.",
    requirements=("REPL-6",),
    where="data plane",
)
NO_REWIND_RULE = Fault(
    name="no-rewind-rule",
    breaks="No rule lets _crunchyrepl into database postgres.",
    requirements=("REPL-7",),
    collateral=tuple(
        Hit(requirement=each, reason="its control is the right certificate at that database")
        for each in ("REPL-3", "REPL-4", "REPL-5", "REPL-6")
    ),
    where="data plane",
)
