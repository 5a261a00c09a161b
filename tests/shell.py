"""Check every shell script of the repository: `python -m tests.shell`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SECONDS = 60
_SHEBANG = re.compile(rb"#!\s*/\S+[/ ](sh|bash|dash|ksh)\b")


def scripts(folder: Path) -> Iterator[Path]:
    """The shell scripts below `folder`, by name or by their first line.

    Hidden folders are not looked into, `.ci` excepted.
    """
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            if path.name == ".ci" or not path.name.startswith("."):
                yield from scripts(path)
        elif path.suffix == ".sh" or _SHEBANG.match(_beginning(path)):
            yield path


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)


def main() -> int:
    """ShellCheck's own exit code; its findings are printed as it says them."""
    names = [str(path.relative_to(ROOT)) for path in scripts(ROOT)]
    command = ["shellcheck", "--external-sources", *names]
    return subprocess.run(command, cwd=ROOT, timeout=_SECONDS, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
