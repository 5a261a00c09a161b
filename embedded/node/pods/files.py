"""Files that every container of a Pod gets from the node: hosts, hostname, resolv.conf."""

from __future__ import annotations

from pathlib import Path

from embedded.client import Json
from embedded.runtime.model import Bind


def hostname_of(pod: Json) -> str:
    """Return the Pod's host name, cut to what the kernel takes."""
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63].rstrip("-.")


def write_network_files(directory: Path, pod: Json, address: str, dns: str, domain: str) -> None:
    """Write the files into `directory`. `dns` is the name server's address."""
    directory.mkdir(parents=True, exist_ok=True)
    namespace, name = pod["metadata"]["namespace"], hostname_of(pod)
    subdomain = pod["spec"].get("subdomain")
    names = [f"{name}.{subdomain}.{namespace}.svc.{domain}"] if subdomain else []
    hosts = f"127.0.0.1\tlocalhost\n{address}\t{' '.join([*names, name])}\n"
    for alias in pod["spec"].get("hostAliases") or []:
        hosts += f"{alias['ip']}\t{' '.join(alias.get('hostnames') or [])}\n"
    (directory / "hosts").write_text(hosts)
    (directory / "hostname").write_text(f"{name}\n")
    search = f"{namespace}.svc.{domain} svc.{domain} {domain}"
    (directory / "resolv.conf").write_text(
        f"search {search}\nnameserver {dns}\noptions ndots:5 timeout:2\n"
    )


def network_binds(directory: Path) -> list[Bind]:
    """Return where containers see the files."""
    names = ("hosts", "hostname", "resolv.conf")
    return [Bind(source=directory / n, target=f"/etc/{n}") for n in names]
