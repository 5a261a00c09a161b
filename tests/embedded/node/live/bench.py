"""Pods on the real platform, through the official client."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubernetes import client, watch
from kubernetes.stream.stream import stream

from tests.embedded.image_table import FIRST

Json = dict[str, Any]
# Neither is typed.
_watch: Any = watch.Watch
_stream: Any = stream
SECONDS = 60


class Bench:
    """One namespace, and what the tests do in it."""

    def __init__(
        self, api: Any, namespace: str, kubeconfig: Path, log_dir: Path, image: str = FIRST
    ) -> None:
        # Objects are JSON here, which the client takes but does not declare.
        self.api: Any = api
        self.core: Any = client.CoreV1Api(api)
        self.namespace = namespace
        self.kubeconfig = kubeconfig
        self.log_dir = log_dir
        self.image = image

    def pod(self, name: str, *command: str, labels: Json | None = None, **spec: Any) -> None:
        """Create a Pod; `container` adds to its one container, other keywords to its spec."""
        container = {"name": "app", "image": self.image} | spec.pop("container", {})
        if command:
            container["command"] = list(command)
        body = {
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]} | spec,
        }
        self.core.create_namespaced_pod(self.namespace, body)

    def sleeper(self, name: str = "sleeper", **spec: Any) -> None:
        """Create a Pod that sleeps, ends at once when told to, and wait until it is ready."""
        self.pod(name, "sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait", **spec)
        self.wait(name, is_ready)

    def get(self, name: str) -> Json:
        return self._json(self.core.read_namespaced_pod(name, self.namespace))

    def wait(self, name: str, until: Callable[[Json], bool], seconds: int = SECONDS) -> Json:
        """Wait until the Pod is as wanted."""
        seen: Json = {}
        for event in self._watch(self.core.list_namespaced_pod, name, seconds):
            seen = self._json(event["object"])
            if event["type"] != "DELETED" and until(seen):
                return seen
        raise AssertionError(f"pod {name} within {seconds} s: last seen {seen.get('status')}")

    def wait_gone(self, name: str, seconds: int = SECONDS) -> None:
        lister = self.core.list_namespaced_pod
        found = lister(self.namespace, field_selector=f"metadata.name={name}")
        if not found.items:
            return
        since = found.metadata.resource_version
        for event in self._watch(lister, name, seconds, resource_version=since):
            if event["type"] == "DELETED":
                return
        raise AssertionError(f"pod {name} is still there after {seconds} s")

    def event(self, name: str, reason: str, seconds: int = SECONDS) -> Json:
        """Wait for an Event about the Pod."""
        lister = self.core.list_namespaced_event
        for event in _watch().stream(lister, self.namespace, timeout_seconds=seconds):
            found = self._json(event["object"])
            if found["involvedObject"]["name"] == name and found["reason"] == reason:
                return found
        raise AssertionError(f"no event {reason} about pod {name} within {seconds} s")

    def delete(self, name: str, grace: int | None = None) -> None:
        options = {} if grace is None else {"grace_period_seconds": grace}
        self.core.delete_namespaced_pod(name, self.namespace, **options)

    def logs(self, name: str, **options: Any) -> str:
        return str(self.core.read_namespaced_pod_log(name, self.namespace, **options))

    def exec(self, name: str, *command: str, container: str = "app") -> str:
        """Run a command; its stdout. A failure is an AssertionError with all it wrote."""
        code, out, err = self.run(name, *command, container=container)
        assert code == 0, f"{command} ended with {code}: {out}{err}"
        return out

    def run(self, name: str, *command: str, container: str = "app") -> tuple[int, str, str]:
        """Run a command; its exit code, stdout and stderr."""
        session = _stream(
            self.core.connect_get_namespaced_pod_exec,
            name,
            self.namespace,
            command=list(command),
            container=container,
            stdin=False,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        try:
            session.run_forever(timeout=SECONDS)
            out, err = session.read_stdout(timeout=0), session.read_stderr(timeout=0)
            return int(session.returncode), out or "", err or ""
        finally:
            session.close()

    def kubectl(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        program = shutil.which("kubectl") or str(
            Path(shutil.which("python") or "").parent / "kubectl"
        )
        where = [f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}"]
        return subprocess.run(
            [program, *where, *words], input=stdin, capture_output=True, timeout=60
        )

    def secret(self, name: str, **data: str) -> None:
        """Create or exchange a Secret."""
        body = {"metadata": {"name": name}, "stringData": data}
        try:
            self.core.create_namespaced_secret(self.namespace, body)
        except client.ApiException as error:
            if error.status != 409:
                raise
            self.core.delete_namespaced_secret(name, self.namespace)
            self.core.create_namespaced_secret(self.namespace, body)

    def service(self, name: str, selector: Json, **spec: Any) -> str:
        """Create a Service and return its address."""
        body = {
            "metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"port": 8000}]} | spec,
        }
        made = self.core.create_namespaced_service(self.namespace, body)
        return str(made.spec.cluster_ip)

    def _watch(self, lister: Any, name: str, seconds: int, **options: str) -> Any:
        options |= {"field_selector": f"metadata.name={name}"}
        return _watch().stream(lister, self.namespace, timeout_seconds=seconds, **options)

    def _json(self, obj: Any) -> Json:
        found: Json = self.api.sanitize_for_serialization(obj)
        return found


def is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def container_of(pod: Json, name: str = "app") -> Json:
    found = (pod.get("status") or {}).get("containerStatuses") or []
    return next((dict(c) for c in found if c["name"] == name), {})


def state_of(pod: Json, name: str = "app") -> Json:
    """Return the state of the container: one entry, `waiting`, `running` or `terminated`."""
    return dict(container_of(pod, name).get("state") or {})


def waits_for(reason: str) -> Callable[[Json], bool]:
    return lambda pod: (state_of(pod).get("waiting") or {}).get("reason") == reason


def in_phase(phase: str) -> Callable[[Json], bool]:
    return lambda pod: bool((pod.get("status") or {}).get("phase") == phase)
