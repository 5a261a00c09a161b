"""Faults of the chapters CUSTOM, ROOTCA and UPDATE: what users give, and what becomes of it."""

from reference.faults.fault import Fault, Hit

ONE_CUSTOM_INSTANCE_LESS = Fault(
    name="one-custom-instance-less",
    breaks="A cluster with custom certificates runs one instance less than asked for.",
    requirements=("CUSTOM-1",),
    deadlines=(("ready", 10),),
)
MISSING_SECRET_REPLACED = Fault(
    name="missing-secret-replaced",
    breaks="In the place of a custom Secret that is absent a generated one is used.",
    requirements=("CUSTOM-2a",),
    versions=("before the release of 2.5.0",),
)
REFUSED_ONCE_IT_RAN = Fault(
    name="refused-once-it-ran",
    breaks="A cluster whose custom Secret is absent is refused, and stopped, only once it ran.",
    requirements=("CUSTOM-2a",),
)
INCOMPLETE_SECRET_REPLACED = Fault(
    name="incomplete-secret-replaced",
    breaks="A custom Secret without ca.crt counts as not given: generated leaves are used.",
    requirements=("CUSTOM-2a",),
)
MISSING_CA_COMPLETED = Fault(
    name="missing-ca-completed",
    breaks="For a custom Secret without ca.crt the generated root is mounted as the CA to trust.",
    requirements=("CUSTOM-2a",),
    deadlines=(("ready", 12),),
)
CORRECTION_UNNOTICED = Fault(
    name="correction-unnoticed",
    breaks="A corrected custom Secret is noticed only when the CR is touched.",
    requirements=("CUSTOM-2b",),
    deadlines=(("recovered", 8),),
)
SINGLE_SET_ACCEPTED = Fault(
    name="single-set-accepted",
    breaks="With one custom set alone the other leaf is generated and used.",
    requirements=("CUSTOM-5a",),
    versions=("2.2-3.1",),
    deadlines=(("ready", 12),),
)
DIFFERING_CA_ACCEPTED = Fault(
    name="differing-ca-accepted",
    breaks="With different ca.crt in the two custom Secrets, generated leaves are used.",
    requirements=("CUSTOM-5b",),
)
REPLICA_SERVES_INSTANCE_LEAF = Fault(
    name="replica-serves-instance-leaf",
    breaks="Replicas of a cluster with custom certificates serve the leaf of <inst>-certs.",
    requirements=("CUSTOM-6a",),
    collateral=(
        Hit(requirement="UPDATE-1a", reason="new custom content does not show there either"),
    ),
    where="data plane",
)
REPLICA_SHOWS_EXTERNAL_LEAF = Fault(
    name="replica-shows-external-leaf",
    breaks="Replicas of a cluster with custom certificates authenticate by the external leaf.",
    requirements=("CUSTOM-6b",),
    where="data plane",
)
GENERATED_PAIR_BESIDE = Fault(
    name="generated-pair-beside-custom",
    breaks="The generated pair is made for a cluster born with custom Secrets, and lies unused.",
    requirements=("CUSTOM-6c",),
)
CUSTOM_CA_PUBLISHED = Fault(
    name="custom-ca-published",
    breaks="With custom certificates ca-roots is the custom CA, which did not sign B's leaf.",
    requirements=("CUSTOM-8a",),
)
POOLER_TRUSTS_GENERATED_ROOT = Fault(
    name="pooler-trusts-generated-root",
    breaks="With custom certificates PgBouncer verifies the primary by the generated root.",
    requirements=("CUSTOM-8b",),
    where="data plane",
)
CUSTOM_SECRET_OWNED = Fault(
    name="custom-secret-owned",
    breaks="The custom external Secret is given an owner, the cluster.",
    requirements=("CUSTOM-11a",),
)
CUSTOM_SECRET_MARKED_LATE = Fault(
    name="custom-secret-marked-late",
    breaks="Once the Pods of its cluster are gone the custom external Secret is marked as free.",
    requirements=("CUSTOM-11a",),
)

ROOT_ITEMS_OF_ONE_KIND = Fault(
    name="root-items-of-one-kind",
    breaks="Of the two mappings of a custom root only tls.crt, tls.key is understood.",
    requirements=("ROOTCA-1",),
    deadlines=(("ready", 10),),
)
ROOT_COPIED = Fault(
    name="root-copied",
    breaks="The given root is copied to <c>-cluster-ca-cert.",
    requirements=("ROOTCA-2a",),
)
CUSTOM_ROOT_REISSUED = Fault(
    name="custom-root-reissued",
    breaks="The replication Secret's ca.crt is a second certificate of the given root's key.",
    requirements=("ROOTCA-2b",),
)
CUSTOM_ROOT_IN_COMPANY = Fault(
    name="custom-root-in-company",
    breaks="The external Secret's ca.crt holds the given root and one of the operator's beside it.",
    requirements=("ROOTCA-2b",),
)
REPO_LEAF_OF_A_NAMESAKE = Fault(
    name="repo-leaf-of-a-namesake",
    breaks="The repository host's leaf is signed by another root of the given root's name.",
    requirements=("ROOTCA-2c",),
)
REPO_LEAF_MISSING = Fault(
    name="repo-leaf-missing",
    breaks="With a given root no leaf is made for the repository host.",
    requirements=("ROOTCA-2c",),
)
AUTHORITY_AS_LEAF = Fault(
    name="authority-as-leaf",
    breaks="With a given root pgbackrest-server.crt is a root of the operator's own, no leaf.",
    requirements=("ROOTCA-2c",),
)
POOLER_LEAF_BESIDE_ROOT = Fault(
    name="pooler-leaf-beside-root",
    breaks="PgBouncer's leaf is signed by another root of the given root's name.",
    requirements=("ROOTCA-2d",),
    collateral=(Hit(requirement="ROOTCA-5", reason="it verifies the same PgBouncer"),),
)
CUSTOM_ROOT_ANNOTATED = Fault(
    name="custom-root-annotated",
    breaks="The given root Secret is annotated with the cluster that uses it.",
    requirements=("ROOTCA-2e",),
)
CUSTOM_ROOT_ANNOTATED_LATE = Fault(
    name="custom-root-annotated-late",
    breaks="A second after the CR is gone the given root Secret is annotated as unused.",
    requirements=("ROOTCA-2e",),
)
SECOND_CLUSTER_ON_A_NAMESAKE = Fault(
    name="second-cluster-on-a-namesake",
    breaks="A second cluster on a given root has a PgBouncer leaf of another root of its name.",
    requirements=("ROOTCA-5",),
)

STALE_REPLICA = Fault(
    name="stale-replica",
    breaks="Replicas go on serving the leaf they started with when the Secret's content changes.",
    requirements=("UPDATE-1a",),
    where="data plane",
    deadlines=(("served-after-update", 4),),
)
NO_VOLUME_REFRESH = Fault(
    name="node-volume-refresh-never",
    breaks="Secret volumes of the instances' Pods keep what they held when the Pod started.",
    requirements=("UPDATE-1a",),
    where="node",
    deadlines=(("served-after-update", 4),),
)
CONTENT_RESTARTS = Fault(
    name="content-restarts",
    breaks="New content of a custom Secret restarts the instances.",
    requirements=("UPDATE-1d",),
)
CONTENT_RESTARTS_LATER = Fault(
    name="content-restarts-later",
    breaks="New content of a custom Secret restarts the instances once the CR is touched.",
    requirements=("UPDATE-1d",),
)
