"""Changes of the database container that several faults make."""

from __future__ import annotations

from embedded.client import Json
from reference.operator.model import Instance
from reference.operator.tls import CA, CERTIFICATE, KEY, Source

INSTANCE_LEAF = "instance/"
"""The directory below /pgconf/tls in which faults mount the leaf of `<inst>-certs`."""


def with_options(container: Json, **options: str) -> Json:
    """Return the container of a server that is started with these settings."""
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return container | {"args": [*container["args"], *words]}


def instance_leaf(instance: Instance) -> dict[str, Source]:
    """Return the mount of an instance's own leaf."""
    keys = {CERTIFICATE: "dns.crt", KEY: "dns.key", CA: "patroni.ca-roots"}
    return {INSTANCE_LEAF: Source(secret=f"{instance.name}-certs", keys=keys)}
