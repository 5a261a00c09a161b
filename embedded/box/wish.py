"""What the launcher was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What `up` was asked: names of faults, a directory for logs that stay, how to speak."""

    faults: tuple[str, ...] = ()
    log_dir: Path | None = None
    speak_json: bool = False
