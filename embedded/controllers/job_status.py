"""The status of a Job, computed from its Pods."""

from __future__ import annotations

from embedded.client import Json
from embedded.controllers import conditions, pods
from embedded.timestamps import now

_STAMP = "lastProbeTime"
_COMPLETE = ("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
_BACKOFF = ("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
_DEADLINE = ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
# Set before the end itself, as soon as the outcome is certain.
_CERTAIN = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}

Outcome = tuple[str, str, str]


def count(mine: list[Json], phase: str) -> int:
    """Return the number of Pods in this phase."""
    return sum(pods.phase(pod) == phase for pod in mine)


def completions(job: Json) -> int | None:
    """Return the number of Pods that must succeed; None for a work queue (one success ends it)."""
    spec = job["spec"]
    if spec.get("completions") is None:
        return None if spec.get("parallelism") is not None else 1
    return int(spec["completions"])


def finished_at(job: Json) -> str:
    """Return the time at which the Job completed or failed; empty while it has not."""
    status = job.get("status") or {}
    for kind in ("Complete", "Failed"):
        condition = conditions.find(status, kind)
        if condition and condition["status"] == "True":
            return str(condition["lastTransitionTime"])
    return ""


def outcome(job: Json, mine: list[Json]) -> Outcome | None:
    """The condition that ends the Job (type, reason, message); None if it goes on."""
    spec = job["spec"]
    wanted = completions(job)
    succeeded = count(mine, "Succeeded")
    if succeeded >= (wanted or 1) and (wanted is not None or not any(map(pods.is_active, mine))):
        return _COMPLETE
    if _failures(mine) > int(spec.get("backoffLimit", 6)):
        return _BACKOFF
    remaining = seconds_to_deadline(job)
    return _DEADLINE if remaining is not None and remaining <= 0 else None


def seconds_to_deadline(job: Json) -> float | None:
    """Seconds that `activeDeadlineSeconds` leaves; None without one."""
    limit = job["spec"].get("activeDeadlineSeconds")
    start = (job.get("status") or {}).get("startTime")
    if limit is None:
        return None
    return int(limit) - (pods.seconds_since(start) if start else 0.0)


def of(job: Json, mine: list[Json]) -> Json:
    """Make the status anew."""
    old = job.get("status") or {}
    active = [pod for pod in mine if pods.is_active(pod)]
    counts = {
        "active": len(active),
        "ready": sum(map(pods.is_ready, active)),
        "succeeded": count(mine, "Succeeded"),
        "failed": count(mine, "Failed"),
    }
    status: Json = {name: number for name, number in counts.items() if number}
    status["ready"] = counts["ready"]
    if not job["spec"].get("suspend"):
        status["startTime"] = old.get("startTime") or now()
    made = _conditions(job, mine, bool(active))
    if made:
        status["conditions"] = made
    complete = conditions.find(status, "Complete")
    if complete:
        status["completionTime"] = complete["lastTransitionTime"]
    return status


def _conditions(job: Json, mine: list[Json], working: bool) -> list[Json]:
    old = job.get("status") or {}
    end = outcome(job, mine)
    if end:
        kind, reason, message = end
        made = [conditions.update(old, _CERTAIN[kind], True, reason, message, _STAMP)]
        # The end is said once nothing of the Job runs any more.
        if not working:
            made.append(conditions.update(old, kind, True, reason, message, _STAMP))
        return made
    suspended = bool(job["spec"].get("suspend"))
    if not suspended and not conditions.find(old, "Suspended"):
        return []
    word = "Suspended" if suspended else "Resumed"
    message = f"Job {word.lower()}"
    return [conditions.update(old, "Suspended", suspended, f"Job{word}", message, _STAMP)]


def _failures(mine: list[Json]) -> int:
    restarts = sum(
        int(container.get("restartCount") or 0)
        for pod in mine
        if pod["spec"].get("restartPolicy") == "OnFailure"
        for container in (pod.get("status") or {}).get("containerStatuses") or []
    )
    return count(mine, "Failed") + restarts
