"""Looking for damage and repairing it, to be awaited."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self, final

from .._threads import threads
from ..engine import Engine
from ..errors import DalsegnoError
from ..results import ScrubProgress
from ..scrubbing import RATE, Scrubbing
from .base import Twin, awaited

__all__ = ["AsyncRepairing", "AsyncScrubbing"]

LOOK = 0.05
"""How many seconds pass between one look whether it has ended and the next."""


@final
class AsyncScrubbing:
    """A scrub at work, as `dalsegno.Scrubbing`: use it in `async with`, or `stop` it."""

    __slots__ = ("__weakref__", "_scrubbing")

    def __init__(self, engine: Engine, rate: int, once: bool) -> None:
        self._scrubbing = Scrubbing(engine, rate, once)

    @property
    def running(self) -> bool:
        """Whether it is at work, and this is the process that began it."""
        return self._scrubbing.running

    def progress(self) -> ScrubProgress:
        """As `dalsegno.Scrubbing.progress`. It is not awaited."""
        return self._scrubbing.progress()

    async def wait(self, timeout: float | None = None) -> ScrubProgress:
        """As `dalsegno.Scrubbing.wait`. Where it is cancelled, the scrub stops."""
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                reached = self._scrubbing.wait(0.0)
                left = LOOK if end is None else min(LOOK, end - time.monotonic())
                if reached["ended"] or left <= 0:
                    return reached
                await asyncio.sleep(left)
        except asyncio.CancelledError:
            # After the state that it is at, for which the loop does not wait.
            threads.pool().submit(self._scrubbing.stop)
            raise

    async def stop(self) -> ScrubProgress:
        """As `dalsegno.Scrubbing.stop`."""
        return await threads.run(self._scrubbing.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.stop()
        except DalsegnoError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<dalsegno.aio.AsyncScrubbing{'' if self.running else ' (stopped)'}>"


class AsyncRepairing(Twin):
    """Verbs that look for damage, and repair."""

    __slots__ = ()

    repair = awaited(Engine.repair)

    def scrub(self, *, rate: int = RATE, once: bool = False) -> AsyncScrubbing:
        """As `Engine.scrub`: `async with engine.scrub() as scrubbing`. It is not awaited."""
        return AsyncScrubbing(self.engine, rate, once)
