"""Faults of the chapter FIN: what is left after a deletion, and what is not."""

from reference.faults.fault import Fault, Hit

ROOT_SECRET_OWNED = Fault(
    name="root-secret-owned",
    breaks="<c>-cluster-ca-cert is owned by the cluster and collected with it.",
    requirements=("FIN-1a",),
    collateral=(Hit(requirement="FIN-7a", reason="the root is one of its Secrets"),),
    versions=("2.5-3.1",),
)
ROOT_COLLECTED_LAST = Fault(
    name="root-collected-last",
    breaks="Without finalizers Pods end 6 s after the CR, and <c>-cluster-ca-cert goes with them.",
    requirements=("FIN-1a",),
    versions=("2.5-3.1",),
)
ROOT_COLLECTED_BESIDE_A_RETURN = Fault(
    name="root-collected-beside-a-return",
    breaks="A Secret that delete-ssl deleted comes back, and then roots that are to stay go.",
    requirements=("FIN-1a", "FIN-4"),
    versions=("2.6-3.0",),
)
INSTANCE_SECRET_OWNED = Fault(
    name="instance-secret-owned",
    breaks="Without finalizers the Secrets <inst>-certs are owned by the cluster.",
    requirements=("FIN-1b",),
)
ROOT_MISSED_BY_LABEL = Fault(
    name="root-missed-by-label",
    breaks="delete-ssl looks by the cluster's label and so leaves the root Secret behind.",
    requirements=("FIN-2a",),
)
USER_SECRETS_TAKEN = Fault(
    name="user-secrets-taken",
    breaks="delete-ssl takes the users' Secrets, too.",
    requirements=("FIN-2c",),
)
CLAIMS_TAKEN = Fault(
    name="claims-taken",
    breaks="delete-ssl deletes the claims, too, which go only when they are held no more.",
    requirements=("FIN-2c",),
)
CUSTOM_SECRET_TAKEN = Fault(
    name="custom-secret-taken",
    breaks="delete-ssl takes the custom internal Secret.",
    requirements=("FIN-2d",),
)
NEIGHBOURS_SECRET_TAKEN = Fault(
    name="neighbours-secret-taken",
    breaks="delete-ssl takes a neighbour's pgBackRest Secret, which is made again at once.",
    requirements=("FIN-2e",),
)
NEIGHBOURS_SECRET_ANNOTATED = Fault(
    name="neighbours-secret-annotated",
    breaks="delete-ssl annotates a neighbour's pgBackRest Secret.",
    requirements=("FIN-2e",),
)
DELETION_NEVER_ENDS = Fault(
    name="deletion-never-ends",
    breaks="delete-ssl deletes everything, but the finalizer is never taken off.",
    requirements=("FIN-3",),
    deadlines=(("gone", 8),),
)
SECRETS_COME_BACK = Fault(
    name="secrets-come-back",
    breaks="From 1.5 s after a deletion with delete-ssl its Secrets come back, one after another.",
    requirements=("FIN-4",),
    versions=("2.6-3.0",),
)
SECRETS_BACK_AT_ONCE = Fault(
    name="secrets-back-at-once",
    breaks="Secrets that delete-ssl deleted are made again as soon as the CR is gone.",
    requirements=("FIN-4",),
    versions=("2.6-3.0",),
)
POOLER_SECRET_TAKEN = Fault(
    name="pooler-secret-taken",
    breaks="delete-pvc alone takes <c>-pgbouncer, too.",
    requirements=("FIN-7a",),
)
