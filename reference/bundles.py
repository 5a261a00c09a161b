"""The reference operator's bundle, remembered: to render it means to import all of the operator."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from reference.faults import Behaviour
from reference.images.operator import code_key


def bundle(faults: Sequence[Behaviour], cache: Path) -> str:
    """Return the bundle as YAML, of an operator that commits `faults`.

    It follows from the operator's code and the names of the faults.
    """
    names = [fault.name for fault in faults]
    digest = hashlib.sha256("\0".join([code_key(), *names]).encode()).hexdigest()
    kept = cache / "bundles" / f"{digest[:16]}.yaml"
    with suppress(OSError):
        return kept.read_text()
    text = _render(faults)
    # To remember it is a help only: the cache may be full, read-only, or another user's.
    with suppress(OSError):
        _keep(kept, text)
    return text


def _keep(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}")
    aside.write_text(text)
    aside.rename(file)


def _render(faults: Sequence[Behaviour]) -> str:
    from reference.faults.bundle import render

    return render(faults)
