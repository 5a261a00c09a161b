"""A namespace of a real platform where the operator runs, and ways to look at clusters there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from embedded.client import PODS, SECRETS, Client, ExecResult, NotFound, Resource
from reference.operator.resources import PGCLUSTERS
from tests.reference.operator.builders import Json, manifest

T = TypeVar("T")

_PREFIX = "postgres-operator.crunchydata.com/"
_SECONDS = 60.0

STREAMING = (
    "SELECT ssl, client_dn, client_serial FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)"
)


class LiveClusters:
    """Everything is done by watches; each wait has a deadline and says what it waited for."""

    def __init__(self, runner: asyncio.Runner, client: Client, namespace: str) -> None:
        self._runner = runner
        self.client = client
        self.namespace = namespace

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(step)

    # -- objects

    def give(self, obj: Json) -> Json:
        """Create a Secret in the namespace."""
        placed = obj | {"metadata": obj["metadata"] | {"namespace": self.namespace}}
        return self.run(self.client.create(SECRETS, placed))

    def cluster(self, name: str, *, finalizers: tuple[str, ...] = (), **spec: Any) -> str:
        """Create a cluster and give its name back."""
        obj = manifest(name, finalizers=finalizers, **spec)
        obj["metadata"]["namespace"] = self.namespace
        self.run(self.client.create(PGCLUSTERS, obj))
        return name

    def change(self, name: str, **spec: Any) -> None:
        self.run(self.client.patch(PGCLUSTERS, name, self.namespace, {"spec": spec}))

    def annotate(self, name: str, value: str) -> None:
        change = {"metadata": {"annotations": {"touched": value}}}
        self.run(self.client.patch(PGCLUSTERS, name, self.namespace, change))

    def get(self, resource: Resource, name: str) -> Json | None:
        with contextlib.suppress(NotFound):
            return self.run(self.client.get(resource, name, self.namespace))
        return None

    def names(self, resource: Resource) -> set[str]:
        listed = self.run(self.client.list(resource, self.namespace))
        return {each["metadata"]["name"] for each in listed.items}

    def value(self, secret: str, key: str) -> bytes:
        found = self.get(SECRETS, secret)
        assert found is not None
        return base64.b64decode(found["data"][key])

    def pods(self, cluster: str, **labels: str) -> list[Json]:
        selector = {f"{_PREFIX}cluster": cluster} | {
            f"{_PREFIX}{key}": value for key, value in labels.items()
        }
        text = ",".join(f"{key}={value}" for key, value in selector.items())
        return self.run(self.client.list(PODS, self.namespace, labels=text)).items

    def lives(self, cluster: str) -> Mapping[str, int]:
        """Restarts of every Pod, by uid."""
        return {
            each["metadata"]["uid"]: each["status"]["containerStatuses"][0]["restartCount"]
            for each in self.pods(cluster)
        }

    # -- waiting

    def wait(
        self, resource: Resource, name: str, until: Callable[[Json | None], bool], what: str
    ) -> None:
        self.run(self._wait(resource, name, until, what))

    def ready(self, *names: str) -> None:
        for name in names:
            self.state(name, "ready")

    def state(self, name: str, state: str) -> None:
        self.wait(PGCLUSTERS, name, lambda obj: _is(obj, state), f"{name} is {state}")

    def start_deletion(self, name: str) -> None:
        self.run(self.client.delete(PGCLUSTERS, name, self.namespace))

    def gone(self, name: str) -> None:
        self.start_deletion(name)
        self.wait(PGCLUSTERS, name, lambda obj: obj is None, f"{name} is gone")

    async def _wait(
        self, resource: Resource, name: str, until: Callable[[Json | None], bool], what: str
    ) -> None:
        listed = await self.client.list(resource, self.namespace)
        last = next((each for each in listed.items if each["metadata"]["name"] == name), None)
        if until(last):
            return
        stream = self.client.watch(
            resource, self.namespace, resource_version=listed.resource_version
        )
        try:
            async with asyncio.timeout(_SECONDS), contextlib.aclosing(stream):
                async for event in stream:
                    if event.object["metadata"].get("name") == name:
                        last = None if event.kind == "DELETED" else event.object
                        if until(last):
                            return
        except TimeoutError:
            seen = (last or {}).get("status", last)
            raise AssertionError(f"waited {_SECONDS} s until {what}; last seen: {seen}") from None

    # -- PostgreSQL

    def execute(self, pod: Json, *command: str) -> ExecResult:
        name = pod["metadata"]["name"]
        return self.run(self.client.exec(self.namespace, name, "database", command))

    def sql(self, cluster: str, query: str, role: str = "primary") -> list[str]:
        """Run a query as the superuser, inside the first instance of a role."""
        done = self.execute(
            self.pods(cluster, role=role)[0], "psql", "-d", "postgres", "-AXtc", query
        )
        assert done.code == 0, done.stderr.decode()
        return done.stdout.decode().split("\n")[:-1]

    def login(
        self, cluster: str, service: str, sslmode: str, *, at: str | None = None
    ) -> ExecResult:
        """Ask a Service of a cluster who we are, from an instance of cluster `at`."""
        user = f"{cluster}-pguser-{cluster}"
        password = self.value(user, "password").decode()
        return self.execute(
            self.pods(at or cluster, role="replica")[0],
            "env",
            f"PGPASSWORD={password}",
            "PGSSLROOTCERT=/pgconf/tls/ca.crt",
            f"PGSSLMODE={sslmode}",
            "PGGSSENCMODE=disable",
            "psql",
            *("-h", f"{cluster}-{service}.{self.namespace}.svc", "-U", cluster, "-d", cluster),
            *("-AXtc", "SELECT current_user"),
        )

    def serials(self, cluster: str) -> set[int]:
        """Serial numbers of the leaves that the instances serve."""
        command = (
            "openssl s_client -starttls postgres -connect 127.0.0.1:5432 </dev/null 2>/dev/null"
            " | openssl x509 -noout -serial"
        )
        texts = [
            self.execute(pod, "sh", "-c", command).stdout.decode()
            for pod in self.pods(cluster, data="postgres")
        ]
        return {int(text.strip().removeprefix("serial="), 16) for text in texts}


def _is(obj: Json | None, state: str) -> bool:
    if obj is None:
        return False
    status = obj.get("status") or {}
    current = status.get("observedGeneration") == obj["metadata"]["generation"]
    return current and status.get("state") == state
