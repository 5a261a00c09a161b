"""Scenarios as checks read them, from made-up observations, and the evidence that checks leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from fixtures.certificates import Authority, SecretData, leaf_secret, operator_set
from fixtures.pgcluster.inventory import Inventory, stored
from fixtures.pgcluster.names import ClusterNames
from fixtures.scenarios.generated.scenario import Generated
from suites.breach import EachElement

NAMESPACE = "ns"
Secrets = Mapping[str, Mapping[str, bytes]]


class RecordedEvidence:
    """Evidence that is only remembered."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}

    def text(self, name: str, text: str) -> None:
        self.files[name] = text

    def data(self, name: str, value: Any) -> None:
        self.files[name] = value


def generated(**stages: Any) -> Generated:
    """The scenario of generated certificates, of which these stages are observed."""
    return cast("Generated", SimpleNamespace(namespace=NAMESPACE, **stages))


def staged(**stages: Mapping[str, Any]) -> Any:
    """A scenario of which these stages are observed, each by its fields."""
    observed = {name: SimpleNamespace(**fields) for name, fields in stages.items()}
    return SimpleNamespace(namespace=NAMESPACE, **observed)


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
    """Return what would be read of a cluster with these Secrets."""
    found = {
        name: stored(SecretData(dict(data)).manifest(name, NAMESPACE))
        for name, data in secrets.items()
    }
    return Inventory(ClusterNames(NAMESPACE, cluster), tuple(found), found)


def judged(check: Callable[..., None], observed: object, *more: Any) -> EachElement:
    """Run a check that judges each of its elements; raises what it comes to."""
    each = EachElement()
    check(observed, each, *more)
    each.conclude()
    return each
