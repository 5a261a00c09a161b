"""The scenario of generated certificates as its checks read it, from made-up observations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from fixtures.certificates import Authority, SecretData, leaf_secret, operator_set
from fixtures.pgcluster.inventory import Inventory, stored
from fixtures.pgcluster.names import ClusterNames
from fixtures.scenarios.generated import Generated
from suites.breach import Each

NAMESPACE = "ns"
Secrets = Mapping[str, Mapping[str, bytes]]


def generated(**stages: Any) -> Generated:
    """A scenario of which these stages are observed; a mapping stands for a stage's fields."""
    return cast("Generated", SimpleNamespace(namespace=NAMESPACE, **stages))


def secrets_of(cluster: str, *, root: Authority | None = None) -> dict[str, dict[str, bytes]]:
    """The Secrets of root and leaves as the operator makes them."""
    made = operator_set(cluster, NAMESPACE, root=root)
    return {
        f"{cluster}-cluster-ca-cert": {
            "root.crt": made.root.certificate_pem,
            "root.key": made.root.key_pem(),
        },
        f"{cluster}-cluster-cert": dict(leaf_secret(made.external, made.root).values),
        f"{cluster}-replication-cert": dict(leaf_secret(made.internal, made.root).values),
    }


def inventory(cluster: str, secrets: Secrets) -> Inventory:
    """What would be read of a cluster with these Secrets."""
    found = {
        name: stored(SecretData(dict(data)).manifest(name, NAMESPACE))
        for name, data in secrets.items()
    }
    return Inventory(ClusterNames(NAMESPACE, cluster), tuple(found), found)


def judged(check: Callable[..., None], observed: Generated, *more: Any) -> Each:
    """Run a check that judges each of its elements; raises what it comes to."""
    each = Each()
    check(observed, each, *more)
    each.conclude()
    return each
