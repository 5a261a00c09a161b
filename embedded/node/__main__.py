"""`python -m embedded.node --config FILE`: the node's agent, inside the box."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from embedded.client import ApiError, Unreachable
from embedded.client import ConfigError as KubeconfigError
from embedded.node.agent import run_node
from embedded.node.behaviour import NodeBehaviour
from embedded.node.config import ConfigError, NodeConfig, load_config
from embedded.runtime.model import BoxError


def main(arguments: Sequence[str] | None = None, *, behaviour: NodeBehaviour | None = None) -> int:
    """Run the node, with a kubelet's behaviour unless another is given.

    Returns 4 for wrong use, 1 when it could not go on.
    """
    parser = argparse.ArgumentParser(prog="python -m embedded.node", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file of the launcher")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="node: %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        return _run(load_config(options.config), behaviour or NodeBehaviour())
    except (ConfigError, KubeconfigError) as error:
        print(f"node: {error}", file=sys.stderr)
        return 4


def _run(config: NodeConfig, behaviour: NodeBehaviour) -> int:
    code = 0
    try:
        uvloop.run(run_node(config, behaviour))
    except* (OSError, ApiError, Unreachable, BoxError) as errors:
        for error in errors.exceptions:
            print(f"node: {error}", file=sys.stderr)
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
