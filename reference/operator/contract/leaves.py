"""Promises about generated leaves: their names, their making, and their renewal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reference.operator.context import Context
from reference.operator.names import REPLICATION_USER
from reference.operator.pki import A_YEAR, Pair, Profile, Subject, is_current, issue

Purpose = Literal[
    "server", "replication", "instance", "pgbouncer", "pgbackrest-client", "pgbackrest-repo"
]


@dataclass(frozen=True)
class Leaf:
    """One of the leaves of a cluster: its purpose, and the instance that it is for, if it is."""

    purpose: Purpose
    instance: str = ""


class Leaves:
    """The generated leaves of a cluster."""

    def subject(self, context: Context, leaf: Leaf) -> Subject:
        """Return CN and DNS names of a leaf, as the spec has them now.

        Servers have the names by which they are reached, the full one first and as the CN; clients
        have the name that they log in as.
        """
        names = context.names
        match leaf.purpose:
            case "server":
                return _server(*names.dns("primary"), *names.dns("replicas"))
            case "pgbouncer":
                return _server(*names.dns("pgbouncer"))
            case "instance":
                return _server(*names.pod_dns(leaf.instance))
            case "pgbackrest-repo":
                return _server(*names.pod_dns(names.of("repo-host")))
            case "replication":
                return _client(REPLICATION_USER)
            case "pgbackrest-client":
                # pgBackRest's server authorizes a client by this CN.
                return _client(f"pgbackrest@{context.cluster.uid}")

    def profile(self, context: Context, leaf: Leaf) -> Profile:
        """Return how a leaf is made: signed by the cluster's root, with a key of its own.

        For a year, or as long as the root lasts, where that is less.
        """
        issuer = context.tls.authority
        return Profile(
            subject=self.subject(context, leaf),
            issuer=issuer,
            lifetime=min(A_YEAR, issuer.certificate.not_valid_after_utc - context.now),
        )

    def pair(self, context: Context, leaf: Leaf, stored: Pair) -> Pair:
        """Return the stored leaf and its key as long as they serve, otherwise new ones."""
        profile = self.profile(context, leaf)
        if is_current(stored, profile, context.now):
            return stored
        return issue(profile, context.now)


def _server(*names: str) -> Subject:
    return Subject(common_name=names[0], names=names)


def _client(name: str) -> Subject:
    return Subject(common_name=name, names=(name,))
