"""The operator as a program."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys

import uvloop

from embedded.client import Client, ConfigError
from reference.operator.config import OperatorConfig
from reference.operator.contract import Contract
from reference.operator.model import VERSION
from reference.operator.operator import Operator

_log = logging.getLogger("reference.operator")


def main(contract: Contract) -> int:
    """Run until SIGTERM or SIGINT; return the exit code: 4 where it cannot start."""
    log_to_stderr()
    try:
        config = OperatorConfig.from_environment(os.environ)
        client = (
            Client.from_kubeconfig(config.kubeconfig) if config.kubeconfig else Client.in_cluster()
        )
    except ConfigError as error:
        print(f"reference operator: {error}", file=sys.stderr)
        return 4
    uvloop.run(_run(client, config, contract))
    return 0


def log_to_stderr() -> None:
    """Have the log written to standard error, unless it already is."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


async def _run(client: Client, config: OperatorConfig, contract: Contract) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    watched = ", ".join(sorted(config.namespaces)) or "all namespaces"
    _log.info("reference operator %s watches %s", VERSION, watched)
    async with client:
        with contextlib.suppress(asyncio.CancelledError):
            await Operator(client, config, contract).run()
