"""Steps that are taken side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable


async def run_all(steps: Iterable[Awaitable[object]]) -> None:
    """Run all steps side by side, to their ends, and then raise the first failure."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
