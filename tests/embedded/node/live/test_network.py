"""Names, Service addresses, and what a Service without Pods says."""

from __future__ import annotations

import pytest

from tests.embedded.node.live.bench import Bench, is_ready
from tests.embedded.node.live.test_probes import LISTEN

ASK = "exec 3<>/dev/tcp/{0}/8000 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && tail -n1 <&3"
READY = {"readinessProbe": {"tcpSocket": {"port": 8000}}}


def serve(bench: Bench, name: str) -> None:
    bench.pod(name, "perl", "-e", LISTEN, labels={"app": "web"}, container=READY)
    bench.wait(name, is_ready)


def ask(bench: Bench, pod: str, host: str) -> str:
    """Ask until the answer comes: Endpoints follow readiness in a moment, not at once."""
    script = f"until {ASK.format(host)} 2>/dev/null; do sleep 0.01; done"
    return bench.exec(pod, "timeout", "50", "bash", "-c", script).strip()


def test_a_service_leads_to_its_pods_by_name_and_address(bench: Bench) -> None:
    address = bench.service("web", {"app": "web"})
    serve(bench, "one")
    bench.sleeper("client")
    names = ("web", f"web.{bench.namespace}.svc", f"web.{bench.namespace}.svc.cluster.local.")
    for host in (address, *names):
        assert ask(bench, "client", host) == "one"


def test_a_service_shares_out_among_its_pods(bench: Bench) -> None:
    address = bench.service("web", {"app": "web"})
    serve(bench, "one")
    serve(bench, "two")
    bench.sleeper("client")
    script = f"until ({ASK.format(address)}; {ASK.format(address)}) 2>/dev/null | sort -u"
    script += " | tr '\\n' ' ' | grep 'one two'; do sleep 0.01; done"
    assert bench.exec("client", "timeout", "50", "bash", "-c", script) == "one two \n"


def test_a_pod_reaches_itself_through_its_service(bench: Bench) -> None:
    address = bench.service("web", {"app": "web"})
    serve(bench, "one")
    assert ask(bench, "one", address) == "one"


def test_a_service_without_pods_refuses(bench: Bench) -> None:
    address = bench.service("web", {"app": "nobody"})
    bench.sleeper("client")
    script = f"until exec 3<>/dev/tcp/{address}/8000; do sleep 0.01; done 2>&1 | grep -m1 refused"
    assert "refused" in bench.exec("client", "timeout", "50", "bash", "-c", script)


def test_a_headless_service_names_its_pods(bench: Bench) -> None:
    bench.service("web", {"app": "web"}, clusterIP="None")
    bench.pod(
        "one",
        "perl",
        "-e",
        LISTEN,
        labels={"app": "web"},
        container=READY,
        hostname="one",
        subdomain="web",
    )
    address = bench.wait("one", is_ready)["status"]["podIP"]
    bench.sleeper("client")
    for name in ("web", "one.web", f"one.web.{bench.namespace}.svc.cluster.local"):
        script = f"until getent ahostsv4 {name}; do sleep 0.01; done"
        found = bench.exec("client", "timeout", "50", "bash", "-c", script)
        assert found.split()[0] == address


def test_a_name_that_is_not_there_is_unknown(bench: Bench) -> None:
    bench.sleeper("client")
    code, _, _ = bench.run("client", "getent", "hosts", "nobody")
    assert code == 2


@pytest.mark.parametrize("host", ["$KUBERNETES_SERVICE_HOST", "kubernetes.default.svc"])
def test_a_pod_reaches_the_api_server(bench: Bench, host: str) -> None:
    bench.sleeper("client")
    script = (
        f"echo | timeout 50 openssl s_client -connect {host}:443 -verify_return_error"
        " -verify_hostname kubernetes.default.svc"
        " -CAfile /var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    )
    assert "Verification: OK" in bench.exec("client", "sh", "-c", script)
