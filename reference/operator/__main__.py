"""`python -m reference.operator`: run in a Pod, or anywhere with KUBECONFIG."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys

import uvloop

from embedded.client import Client, ConfigError
from reference.faults.registry import UnknownFaultError
from reference.operator.config import OperatorConfig
from reference.operator.model import VERSION
from reference.operator.operator import Operator

_log = logging.getLogger("reference.operator")


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        config = OperatorConfig.from_environment(os.environ)
        client = (
            Client.from_kubeconfig(config.kubeconfig) if config.kubeconfig else Client.in_cluster()
        )
    except (ConfigError, UnknownFaultError) as error:
        print(f"reference operator: {error}", file=sys.stderr)
        return 4
    uvloop.run(_run(client, config))
    return 0


async def _run(client: Client, config: OperatorConfig) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    watched = ", ".join(sorted(config.namespaces)) or "all namespaces"
    _log.info("reference operator %s watches %s", VERSION, watched)
    if config.faults.active:
        _log.warning("faults are on: %s", config.faults)
    async with client:
        with contextlib.suppress(asyncio.CancelledError):
            await Operator(client, config).run()


if __name__ == "__main__":
    sys.exit(main())
