"""Credentials for registries, from where `docker login` puts them."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.images.cache import ImageError
from embedded.images.oci.reference import DOCKER_HUB

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_HELPER = re.compile(r"[A-Za-z0-9._-]+")
_HELPER_SECONDS = 30
_IS_TOKEN = "<token>"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A name with a password, or an identity token in its place."""

    name: str
    secret: str
    is_token: bool = False

    def __repr__(self) -> str:
        return f"Credentials(name={self.name!r})"


def credentials_for(
    registry: str, environment: Mapping[str, str] = os.environ
) -> Credentials | None:
    """Return the credentials for a registry; None where nobody has logged in.

    Raises ImageError for a file or a helper that is out of order.
    """
    folder = environment.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    file = Path(folder, "config.json")
    keys = _HUB_KEYS if registry == DOCKER_HUB else (registry, f"https://{registry}")
    try:
        config = json.loads(file.read_text())
        helpers = config.get("credHelpers") or {}
        helper = next((helpers[key] for key in keys if key in helpers), config.get("credsStore"))
        if helper:
            return _of_helper(str(helper), keys[0], environment)
        auths = config.get("auths") or {}
        entry = next((auths[key] for key in keys if key in auths), None)
        return _of_entry(entry) if entry else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImageError(f"images: {file}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        text = f"images: {file}: is not as `docker login` writes it; log in again"
        raise ImageError(text) from error


def _of_entry(entry: Mapping[str, Any]) -> Credentials | None:
    name, password = entry.get("username") or "", entry.get("password") or ""
    if entry.get("auth"):
        text = base64.b64decode(entry["auth"], validate=True).decode()
        name, _, password = text.partition(":")
    if entry.get("identitytoken"):
        return Credentials(name=name, secret=entry["identitytoken"], is_token=True)
    return Credentials(name=name, secret=password.rstrip("\0")) if name else None


def _of_helper(helper: str, server: str, environment: Mapping[str, str]) -> Credentials | None:
    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise ImageError(f"images: Docker's config.json names {helper!r}, which is no helper")
    try:
        done = subprocess.run(
            [program, "get"],
            input=server,
            capture_output=True,
            text=True,
            timeout=_HELPER_SECONDS,
            env=dict(environment),
            check=False,
        )
    except FileNotFoundError as error:
        text = f"images: {program} is not installed, which Docker's config.json names"
        raise ImageError(text) from error
    except subprocess.TimeoutExpired as error:
        text = f"images: {program} has not answered within {_HELPER_SECONDS} s"
        raise ImageError(text) from error
    if done.returncode != 0:
        # Its word for that nobody has logged in.
        if "credentials not found" in done.stdout + done.stderr:
            return None
        raise ImageError(f"images: {program} ended with code {done.returncode}; log in again")
    answer = json.loads(done.stdout)
    name, secret = str(answer["Username"]), str(answer["Secret"])
    return Credentials(name=name, secret=secret, is_token=name == _IS_TOKEN)
