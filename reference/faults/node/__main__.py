"""`python -m reference.faults.node --faults A,B --config FILE`: the node's agent, with faults."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from embedded.node.__main__ import main as run_node
from embedded.node.behaviour import NodeBehaviour
from reference.faults.registry import UnknownFaultError, combined, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return its exit code, 4 for an unknown fault. Other options are the node's."""
    parser = argparse.ArgumentParser(prog="python -m reference.faults.node", add_help=False)
    parser.add_argument("--faults", default="", metavar="A,B", help="breaches to commit")
    options, others = parser.parse_known_args(arguments)
    try:
        faults = parse(options.faults)
    except UnknownFaultError as error:
        print(f"node: {error}", file=sys.stderr)
        return 4
    return run_node(others, behaviour=combined(NodeBehaviour, faults))


if __name__ == "__main__":
    sys.exit(main())
