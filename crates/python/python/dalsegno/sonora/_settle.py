"""What is told in the loop of whoever awaits."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["settle"]


def settle(future: asyncio.Future[Any], error: Exception | None, answer: Any) -> None:
    """Tells what became of a call; whoever waits no more is told nothing."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(answer)
