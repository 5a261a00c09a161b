"""The state of a Pod and its containers, as the node knows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from embedded.client import Json


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Not running, and why: `reason` is ContainerCreating, CrashLoopBackOff, ErrImagePull …."""

    reason: str
    message: str = ""

    def as_json(self) -> Json:
        """Return it as ContainerState."""
        text = {"message": self.message} if self.message else {}
        return {"waiting": {"reason": self.reason} | text}


@dataclass(frozen=True, kw_only=True)
class Running:
    """Running since `started_at` (RFC 3339)."""

    started_at: str

    def as_json(self) -> Json:
        """Return it as ContainerState."""
        return {"running": {"startedAt": self.started_at}}


@dataclass(frozen=True, kw_only=True)
class Terminated:
    """Ended, with the exit code as a shell would give it."""

    exit_code: int
    reason: str
    started_at: str
    finished_at: str
    container_id: str
    signal: int = 0
    message: str = ""

    def as_json(self) -> Json:
        """Return it as ContainerState."""
        extra: Json = {"signal": self.signal} if self.signal else {}
        if self.message:
            extra["message"] = self.message
        ended = {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "containerID": self.container_id,
        }
        return {"terminated": ended | extra}


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    """One container: what it is doing, what it did before, how often it was started again."""

    name: str
    image: str
    now: Waiting | Running | Terminated = field(
        default_factory=lambda: Waiting(reason="ContainerCreating")
    )
    last: Terminated | None = None
    image_id: str = ""
    container_id: str = ""
    restarts: int = 0
    started: bool = False
    ready: bool = False

    def but(self, **changes: object) -> Self:
        """Return a copy with `changes`."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def as_json(self) -> Json:
        """Return it as ContainerStatus."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": self.image_id,
            "containerID": self.container_id,
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.now.as_json(),
            "lastState": self.last.as_json() if self.last else {},
        }
