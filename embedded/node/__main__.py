"""`python -m embedded.node --config FILE`: the node's agent, inside the box."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import uvloop

from embedded.client import ApiError, Unreachable
from embedded.client import ConfigError as KubeconfigError
from embedded.node.agent import run_node
from embedded.node.config import ConfigError, NodeConfig, load_config
from embedded.node.faults import NodeFaults
from embedded.runtime.model import BoxError


def main() -> int:
    """Run the node; 4 for wrong use, 1 when it could not go on."""
    parser = argparse.ArgumentParser(prog="python -m embedded.node", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file of the launcher")
    parser.add_argument("--faults", default="", metavar="A,B", help="deliberate breaches")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="node: %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        return _run(load_config(options.config), NodeFaults(frozenset(options.faults.split(","))))
    except (ConfigError, KubeconfigError) as error:
        print(f"node: {error}", file=sys.stderr)
        return 4


def _run(config: NodeConfig, faults: NodeFaults) -> int:
    code = 0
    try:
        uvloop.run(run_node(config, faults=faults))
    except* (OSError, ApiError, Unreachable, BoxError) as errors:
        for error in errors.exceptions:
            print(f"node: {error}", file=sys.stderr)
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
