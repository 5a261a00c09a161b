"""Images by recipe: taken from the cache, made where they are missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from embedded.images import cache
from embedded.images.builder import VERSIONS, build
from embedded.images.code import build_code, code_key
from embedded.images.model import Image, ImageRule
from embedded.images.recipes import SUITES, Recipe, Suite, operator, postgresql

OS_RELEASE = Path("/etc/os-release")


def host_suite(os_release: Path = OS_RELEASE) -> Suite:
    """Return the Debian release of this machine, whose packages images are made of.

    Raises ImageError where it is another system.
    """
    lines = os_release.read_text().splitlines() if os_release.exists() else []
    fields = dict(line.partition("=")[::2] for line in lines)
    name = fields.get("VERSION_CODENAME", "").strip('"')
    if name not in SUITES:
        known = ", ".join(SUITES)
        seen = name or fields.get("PRETTY_NAME", "an unknown system")
        text = f"images: made of Debian's packages, {known}; this is {seen}"
        raise cache.ImageError(f"{text}: use --platform kind or kubeconfig")
    return SUITES[name]


def ensure(recipe: Recipe, suite: Suite, directory: Path) -> Image:
    """Return the image of `recipe`, built first if `directory` does not hold it.

    Raises ImageError.
    """
    digest = cache.key(recipe, suite)
    root = _layer(
        directory,
        f"{recipe.name}-{suite.name}-{digest[:16]}",
        lambda target, lock: build(recipe, suite, target, lock),
    )
    return Image(
        recipe=recipe.name,
        suite=suite.name,
        digest=f"sha256:{digest}",
        layers=(root,),
        config=recipe.config,
    )


def ensure_operator(suite: Suite, directory: Path) -> Image:
    """Return the operator's image: the layer of its code over that of its libraries."""
    base = ensure(operator(suite), suite, directory)
    digest = code_key()
    layer = _layer(
        directory,
        f"operatorcode-{suite.name}-{digest[:16]}",
        lambda target, lock: build_code(target, base.layers[0], suite, lock),
    )
    whole = hashlib.sha256(f"{base.digest} {digest}".encode()).hexdigest()
    return replace(base, digest=f"sha256:{whole}", layers=(layer, *base.layers))


def versions(rules: Iterable[ImageRule]) -> dict[str, str]:
    """Return what the programs in the images say of their versions, by the word they begin with."""
    kept = {layer.parent / VERSIONS for rule in rules for layer in rule.image.layers}
    lines = [ln for path in kept if path.exists() for ln in path.read_text().splitlines()]
    return {line.split()[0].lower(): line for line in sorted(lines)}


def _layer(directory: Path, name: str, make: Callable[[Path, int], None]) -> Path:
    target = directory / name
    if not target.exists():
        with cache.building(directory) as lock:
            if not target.exists():
                make(target, lock)
    cache.used(target)
    return target / "root"


def rules(suite: Suite, directory: Path) -> tuple[ImageRule, ...]:
    """Return the table of what stands in for which image reference, all of it built."""
    database = ensure(postgresql(suite), suite, directory)
    pooler = replace(database, config=replace(database.config, uid=1001, gid=1001))
    reference = ensure_operator(suite, directory)
    return (
        *(ImageRule(pattern=pattern, image=pooler) for pattern in POOLER),
        *(ImageRule(pattern=pattern, image=database) for pattern in DATABASE),
        ImageRule(pattern="reference-operator", image=reference),
    )


# The names of Percona's own images, before 2.7 one repository whose tag said what it held.
POOLER = ("percona/percona-pgbouncer", "perconalab/percona-pgbouncer")
DATABASE = (
    "percona/percona-distribution-postgresql",
    "perconalab/percona-distribution-postgresql",
    "percona/percona-pgbackrest",
    "perconalab/percona-pgbackrest",
    "percona/percona-postgresql-operator",
    "perconalab/percona-postgresql-operator",
)
