"""`python -m reference.faults.operator --faults A,B`: the reference operator, with faults."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from reference.faults.registry import UnknownFaultError, combined, parse
from reference.operator import program
from reference.operator.contract import Contract

_log = logging.getLogger("reference.faults.operator")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator until SIGTERM or SIGINT; return the exit code: 4 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m reference.faults.operator")
    parser.add_argument("--faults", default="", metavar="A,B", help="breaches to commit")
    options = parser.parse_args(arguments)
    try:
        faults = parse(options.faults)
    except UnknownFaultError as error:
        print(f"reference operator: {error}", file=sys.stderr)
        return 4
    program.log_to_stderr()
    _log.warning("faults are on: %s", ", ".join(fault.name for fault in faults) or "none")
    return program.main(combined(Contract, faults))


if __name__ == "__main__":
    sys.exit(main())
