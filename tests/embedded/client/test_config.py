"""Finding the API server, and saying in one line why it cannot be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.client import ConfigError
from embedded.client.config import from_kubeconfig, in_cluster

GOOD = """
current-context: b
clusters: [{name: c, cluster: {server: "https://h:1/", certificate-authority: ca.crt}}]
users: [{name: u, user: {tokenFile: token}}]
contexts: [{name: a, context: {}}, {name: b, context: {cluster: c, user: u, namespace: n}}]
"""


def test_the_current_context_is_read_with_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("PEM")
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "config").write_text(GOOD)
    found = from_kubeconfig(tmp_path / "config")
    assert (found.server, found.ca, found.token, found.namespace) == (
        "https://h:1",
        "PEM",
        "secret",
        "n",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [("current-context: x\ncontexts: []", "no 'x'"), ("[", "malformed"), ("{}", "current-context")],
)
def test_a_malformed_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        from_kubeconfig(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        from_kubeconfig(tmp_path / "none")


def test_outside_a_pod_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigError, match="KUBERNETES_SERVICE_HOST is not set"):
        in_cluster()
