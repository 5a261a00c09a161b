"""Runs all controllers: `python -m embedded.controllers --kubeconfig FILE`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

import uvloop

from embedded.client import ApiError, Client, ConfigError, Unreachable
from embedded.controllers import manager


def main() -> int:
    """Run until SIGTERM or SIGINT; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m embedded.controllers")
    parser.add_argument("--kubeconfig", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--node-monitor-grace-period",
        type=float,
        default=manager.NODE_GRACE,
        metavar="SECONDS",
        help="how long a node may give no sign of life (%(default)g)",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        uvloop.run(_run(options.kubeconfig, options.node_monitor_grace_period))
    except (ConfigError, ApiError, Unreachable) as error:
        print(f"controllers: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(kubeconfig: Path, node_grace: float) -> None:
    async with Client.from_kubeconfig(kubeconfig) as client:
        task = asyncio.create_task(manager.run(client, node_grace))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    sys.exit(main())
