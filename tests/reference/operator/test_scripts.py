"""The scripts of the containers: the reload loop on a volume that changes as a kubelet does it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from reference.operator import scripts

HERE = Path(scripts.__file__).parent


def write(volume: Path, version: str) -> None:
    """Point ..data to a new directory, in one step."""
    (volume / version).mkdir(parents=True)
    (volume / version / "file").write_text(version)
    temporary = volume / "..data_tmp"
    temporary.symlink_to(version)
    os.replace(temporary, volume / "..data")  # noqa: PTH105


def bash(script: str, volume: Path) -> list[str]:
    text = f'source "{HERE}/reload.sh"; volume="{volume}"; {script}'
    done = subprocess.run(
        ["bash", "-euc", text], capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout.split()


def test_a_change_is_seen_once_and_silence_not_at_all(tmp_path: Path) -> None:
    write(tmp_path, "one")
    look = 'changed "$volume" && echo changed || echo same'
    swap = (
        'mkdir "$volume/two"; ln -s two "$volume/tmp"; mv -T "$volume/tmp" "$volume/..data";'
        'rm -r "$volume/one"'
    )
    seen = bash(f'hold "$volume"; {look}; {swap}; {look}; {look}', tmp_path)
    assert seen == ["same", "changed", "same"]


def test_no_process_is_started_to_look(tmp_path: Path) -> None:
    write(tmp_path, "one")
    # With an empty PATH nothing but what bash has built in can run.
    script = 'hold "$volume"; PATH=; changed "$volume" || pause 0.01; printf done'
    assert bash(script, tmp_path) == ["done"]


def test_a_signal_ends_a_pause_early(tmp_path: Path) -> None:
    script = "trap 'printf \"%s\\n\" caught; exit 0' TERM; kill -TERM $$ & pause 15; printf late"
    assert bash(script, tmp_path) == ["caught"]
