"""The platform's own certificates and tokens, made anew for each run, and kubeconfigs of them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import trustme


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its private key, both PEM (X.509 in RFC 5280's profile; SEC 1 key)."""

    certificate: str
    key: str


class Authority:
    """A root of trust, on P-256. Its key is never written anywhere."""

    def __init__(self, name: str) -> None:
        self._authority = trustme.CA(organization_name=name, path_length=0)

    @property
    def certificate(self) -> str:
        """The root's own certificate, PEM."""
        return self._authority.cert_pem.bytes().decode()

    def issue(self, names: Sequence[str]) -> Pair:
        """Issue a server's certificate for `names`, DNS or IP."""
        issued = self._authority.issue_cert(*names)
        (certificate,) = issued.cert_chain_pems
        return Pair(
            certificate=certificate.bytes().decode(), key=issued.private_key_pem.bytes().decode()
        )


def new_token() -> str:
    """Return a bearer token that cannot be guessed: 256 bits."""
    return secrets.token_urlsafe(32)


def kubeconfig(*, server: str, authority: str, token: str, name: str) -> str:
    """Return a kubeconfig with one context, `name`; JSON, which is YAML.

    `server` is `https://host:port`, `authority` the PEM of its root.
    """
    data = base64.b64encode(authority.encode()).decode()
    cluster = {"server": server, "certificate-authority-data": data}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"
