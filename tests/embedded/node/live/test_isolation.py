"""The surroundings of a program in a Pod, whichever way the node starts it."""

from __future__ import annotations

from tests.embedded.image_table import SECOND
from tests.embedded.node.live.bench import Bench, is_ready

# As in `tests.embedded.box.test_inheritance`; first the variables that it was started with.
LOOK = (
    "env | cut -d= -f1 | sort >/seen/{0}.environment;"
    "exec >/seen/{0}; for f in /proc/self/fd/*; do test ! -e $f || echo ${{f##*/}}; done"
)
STREAMS = ["0", "1", "2"]
IMAGE_AND_POD = {"HOME", "HOSTNAME", "LANG", "PATH"}


def test_no_program_of_a_pod_has_a_descriptor_or_a_variable_of_the_boxs(bench: Bench) -> None:
    """Init container, main program, probe and exec."""
    shared = {"volumeMounts": [{"name": "seen", "mountPath": "/seen"}]}
    look = {way: LOOK.format(way) for way in ("init", "main", "probe", "exec")}
    init = {"name": "first", "image": SECOND, "command": ["sh", "-c", look["init"]]} | shared
    probe = {"exec": {"command": ["sh", "-c", look["probe"]]}, "periodSeconds": 1}
    bench.pod(
        "seen",
        initContainers=[init],
        volumes=[{"name": "seen", "emptyDir": {}}],
        container=shared
        | {
            "command": ["sh", "-c", f"{look['main']}; trap 'exit 0' TERM; sleep infinity & wait"],
            "readinessProbe": probe,
        },
    )
    bench.wait("seen", is_ready)
    bench.exec("seen", "sh", "-c", look["exec"])
    for way in look:
        assert bench.exec("seen", "cat", f"/seen/{way}").split() == STREAMS, way
        names = bench.exec("seen", "cat", f"/seen/{way}.environment").split()
        others = {name for name in names if not name.startswith("KUBERNETES_")}
        assert others - {"PWD"} == IMAGE_AND_POD, way
