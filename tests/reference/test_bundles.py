"""The bundle is rendered once, and a cache that cannot be written is no hindrance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reference.bundles import bundle

READ_ONLY = """
import sys; from pathlib import Path
from reference.bundles import bundle
print(bundle((), Path(sys.argv[1])).count("kind: Deployment"))
"""


@pytest.mark.parametrize("there", [False, True], ids=["new", "remembered"])
def test_a_cache_that_can_only_be_read_will_do(tmp_path: Path, there: bool) -> None:
    if there:
        bundle((), tmp_path)
    done = subprocess.run(
        [
            *("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(tmp_path), str(tmp_path)),
            *(sys.executable, "-c", READ_ONLY, str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
