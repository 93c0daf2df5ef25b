"""Where calls are carried out that somebody awaits."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar, final

__all__ = ["threads"]

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 8
"""How many calls of this process are carried out at once; others wait for their turn."""


@final
class Threads:
    """Threads to wait in. They are not those of asyncio, which others need; and in a forked process there are none."""

    def __init__(self) -> None:
        self._process = 0
        self._pool: ThreadPoolExecutor | None = None

    def pool(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="dalsegno")
            self._process = os.getpid()
        return self._pool

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # With what is known of whoever calls, as in `asyncio.to_thread`.
        context = contextvars.copy_context()
        call = functools.partial(context.run, work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.pool(), call)


threads = Threads()
