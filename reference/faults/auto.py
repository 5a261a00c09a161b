"""Faults of the chapters AUTO and CERTREQ: what is generated, and how it looks."""

from reference.faults.fault import Fault, Hit

REPLICA_WITHOUT_TLS = Fault(
    name="replica-without-tls",
    breaks="Replicas of a cluster with generated certificates run with ssl off.",
    requirements=("AUTO-1",),
    collateral=tuple(
        Hit(requirement=each, reason="it begins with a TLS handshake at the same replica")
        for each in (
            "AUTO-3a",
            "CONN-3",
            "CONN-4a",
            "CONN-4b",
            "CONN-6",
            "REPL-3",
            "REPL-4",
            "REPL-5",
            "REPL-6",
            "REPL-7",
        )
    ),
    where="data plane",
)
INSTANCE_SECRET_MISSING = Fault(
    name="instance-secret-missing",
    breaks="One replica runs without a Secret <inst>-certs of its own.",
    requirements=("AUTO-2a",),
    collateral=(Hit(requirement="CONN-8", reason="the list lacks one of its nine lines"),),
)
REPLICATION_CA_RENAMED = Fault(
    name="replication-ca-renamed",
    breaks="The CA in the generated replication Secret is under ca.pem, not ca.crt.",
    requirements=("AUTO-2b",),
)
REPLICATION_CA_EMPTY = Fault(
    name="replication-ca-empty",
    breaks="ca.crt in the generated replication Secret is empty; the CA is under ca.pem.",
    requirements=("AUTO-2b",),
    collateral=(Hit(requirement="AUTO-2c", reason="ca.pem is a fourth key"),),
)
CA_SECRET_OF_CERT_MANAGER = Fault(
    name="ca-secret-of-cert-manager",
    breaks="<c>-cluster-ca-cert has the root under tls.crt, tls.key and ca.crt, not root.crt.",
    requirements=("AUTO-2b", "CONN-7"),
    collateral=(
        Hit(requirement="AUTO-2c", reason="it has three keys"),
        Hit(requirement="AUTO-5d", reason="root.crt is one of the places"),
    ),
    versions=("2.9-3.1",),
    deadlines=(("secrets-present", 4),),
)
SEVENTH_PGBOUNCER_KEY = Fault(
    name="seventh-pgbouncer-key",
    breaks="The PgBouncer Secret has a seventh key, pgbouncer-admin-password.",
    requirements=("AUTO-2c",),
    versions=("3.1",),
)
LEGACY_ROOT_ADOPTED = Fault(
    name="legacy-root-adopted",
    breaks="A new cluster takes the namespace's old root pgo-root-cacert for its own.",
    requirements=("AUTO-3a",),
    collateral=(
        Hit(requirement="AUTO-4c", reason="the old root is of another make"),
        Hit(requirement="CONN-3", reason="a neighbour's root then is no foreign root"),
        Hit(requirement="REPL-4", reason="nor are a neighbour's certificates foreign ones"),
    ),
    versions=("2.2-2.4",),
)
ROOT_NOT_SIGNED_BY_ITSELF = Fault(
    name="root-not-signed-by-itself",
    breaks="The published root names itself as issuer, but another key signed it.",
    requirements=("AUTO-4a",),
)
OLD_ROOT_PUBLISHED = Fault(
    name="old-root-published",
    breaks="root.crt holds the namespace's old root pgo-root-cacert after the cluster's own.",
    requirements=("AUTO-4a",),
    collateral=(Hit(requirement="AUTO-5d", reason="ca.crt holds the cluster's own alone"),),
)
SHORT_LEAF = Fault(
    name="short-leaf",
    breaks="The generated replication leaf lives 364 days.",
    requirements=("AUTO-4b",),
)
ROOT_ON_P384 = Fault(
    name="root-on-p384",
    breaks="The generated root has a key on P-384.",
    requirements=("AUTO-4c",),
)
REPLICATION_CA_REISSUED = Fault(
    name="replication-ca-reissued",
    breaks="The replication Secret's ca.crt is a second certificate of the generated root's key.",
    requirements=("AUTO-5a",),
)
OLD_ROOT_TRUSTED = Fault(
    name="old-root-trusted",
    breaks="Both ca.crt hold the namespace's old root pgo-root-cacert after the cluster's own.",
    requirements=("AUTO-5a", "REPL-4"),
    collateral=(Hit(requirement="AUTO-5d", reason="root.crt holds the cluster's own alone"),),
)
ONE_KEY_FOR_BOTH = Fault(
    name="one-key-for-both-leaves",
    breaks="External and internal leaf are two certificates of one key.",
    requirements=("AUTO-5b",),
)
KEY_OF_ANOTHER_LEAF = Fault(
    name="key-of-another-leaf",
    breaks="pgbackrest-repo-host.key is not the key of pgbackrest-repo-host.crt.",
    requirements=("AUTO-5c",),
)
PATRONI_ROOT_REISSUED = Fault(
    name="patroni-root-reissued",
    breaks="patroni.ca-roots is a second certificate of the generated root's key.",
    requirements=("AUTO-5d",),
)
LEAF_PER_TOUCH = Fault(
    name="leaf-per-touch",
    breaks="pgBackRest's client leaf is made anew whenever the CR is annotated.",
    requirements=("AUTO-7a",),
)
UNLABELLED_REPLICATION_SECRET = Fault(
    name="unlabelled-replication-secret",
    breaks="The generated replication Secret lacks the label cluster-certificate.",
    requirements=("AUTO-8",),
)
SERVER_CN_OF_CERT_MANAGER = Fault(
    name="server-cn-of-cert-manager",
    breaks="The CN of the generated external leaf is <c>-postgres.",
    requirements=("CERTREQ-1a",),
    versions=("2.9-3.1",),
)
REPLICAS_NAME_MISSING = Fault(
    name="replicas-name-missing",
    breaks="The generated external leaf lacks the name <c>-replicas.<ns>.",
    requirements=("CERTREQ-1b",),
    collateral=(
        Hit(requirement="CERTREQ-4", reason="it compares the whole list of names"),
        Hit(requirement="CONN-4a", reason="it verifies by that name"),
    ),
)
REPLICATION_CN_MAPPED = Fault(
    name="replication-cn-mapped",
    breaks="The generated internal leaf has CN replication, mapped to _crunchyrepl by ident.",
    requirements=("CERTREQ-2a",),
    collateral=(Hit(requirement="REPL-2", reason="the walsender shows the same CN"),),
)
NAMES_END_IN_A_DOT = Fault(
    name="names-end-in-a-dot",
    breaks="Full names in all generated leaves end in a dot.",
    requirements=("CERTREQ-3a",),
    collateral=(
        Hit(requirement="CERTREQ-4", reason="it compares the whole list of names"),
        Hit(requirement="CONN-4a", reason="verify-full by a full name fails on it"),
    ),
    versions=("2.2-2.7",),
)
INSTANCE_NAME_ENDS_IN_A_DOT = Fault(
    name="instance-name-ends-in-a-dot",
    breaks="Only the full name in the leaves of <inst>-certs ends in a dot.",
    requirements=("CERTREQ-3a",),
)
LEAF_WITH_EKU = Fault(
    name="leaf-with-eku",
    breaks="The generated external leaf names extended key usages.",
    requirements=("CERTREQ-4",),
    versions=("2.9-3.1",),
)
