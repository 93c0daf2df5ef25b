"""Requests and handovers, to be awaited: the program is called in the event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
import os
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self, TypeVar, final

from .._threads import threads
from ..attending import (
    Asked,
    Attendant,
    Attending,
    Calls,
    Failed,
    Freeze,
    Load,
    Unfreeze,
    _within,
)
from ..attending import HandedOver as TellHandedOver
from ..engine import Engine
from ..errors import InvalidInputError, StorageError
from ..results import Answer, HandedOver
from ..verbs import ask as verbs
from .base import Twin

__all__ = ["AsyncAsking", "AsyncAttending", "Beginning"]

T = TypeVar("T")

LOOK = 0.1
"""How many seconds pass before whoever waits for the loop looks whether it is still there."""


class Loop:
    """Where a program's calls are carried out that another thread waits for."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Callable[..., object], arguments: tuple[object, ...]) -> object:
        """Calls it in the loop, and waits for what it gives."""
        given: concurrent.futures.Future[object] = concurrent.futures.Future()

        def begin() -> None:
            task = self.loop.create_task(carry_out(work, arguments, given))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        try:
            if not self.loop.is_running():
                raise _nobody()
            self.loop.call_soon_threadsafe(begin)
        except RuntimeError:
            raise _nobody() from None
        ran = True
        while True:
            done, _ = concurrent.futures.wait([given], LOOK)
            if done:
                return given.result()
            # Twice, because a loop may end and begin anew.
            if not ran and not self.loop.is_running():
                raise _nobody()
            ran = self.loop.is_running()


async def carry_out(
    work: Callable[..., object],
    arguments: tuple[object, ...],
    given: concurrent.futures.Future[object],
) -> None:
    # Of this task alone.
    _within.set(os.getpid())
    try:
        found = work(*arguments)
        given.set_result(await found if inspect.isawaitable(found) else found)
    except asyncio.CancelledError:
        given.set_exception(_nobody())
        raise
    except Exception as error:  # noqa: BLE001 - whoever asks is told
        given.set_exception(error)
    except BaseException:
        given.set_exception(_nobody())
        raise


def _nobody() -> StorageError:
    return StorageError("the event loop does not run: await stop() before it ends")


@final
class LoopAttending(Attending):
    """Calls the program in an event loop."""

    def __init__(self, engine: Engine, calls: Calls, loop: Loop) -> None:
        self._loop = loop
        super().__init__(engine, calls)

    def check_thread(self) -> None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            return
        if here is self._loop.loop:
            raise InvalidInputError(
                "the event loop that the program is called in would wait for itself: await stop(), or close() of "
                "the asyncio engine"
            )

    def _run(self, work: Callable[..., object], arguments: tuple[object, ...]) -> object:
        return self._loop.run(work, arguments)


@final
class AsyncAttending:
    """Attends to what other programs ask for, as `dalsegno.Attending`; use it in `async with`, or `stop` it before the loop ends."""

    __slots__ = ("__weakref__", "_attending")

    def __init__(self, attending: LoopAttending) -> None:
        self._attending = attending

    @property
    def running(self) -> bool:
        """Whether it attends: it was not stopped, and this is the process that began it."""
        return self._attending.running

    async def stop(self) -> None:
        """As `dalsegno.Attending.stop`."""
        await threads.run(self._attending.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<dalsegno.aio.AsyncAttending{'' if self.running else ' (stopped)'}>"


@final
class Beginning:
    """Attending that is about to begin: await it, or use it in `async with` right away."""

    __slots__ = ("_begun", "_calls", "_engine")

    def __init__(self, engine: Engine, calls: Calls) -> None:
        self._engine = engine
        self._calls = calls
        self._begun: AsyncAttending | None = None

    async def _begin(self) -> AsyncAttending:
        begin = functools.partial(LoopAttending, self._engine, self._calls, Loop())
        return AsyncAttending(await threads.run(begin))

    def __await__(self) -> Generator[Any, None, AsyncAttending]:
        return self._begin().__await__()

    async def __aenter__(self) -> AsyncAttending:
        self._begun = await self._begin()
        return self._begun

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._begun is not None:
            await self._begun.stop()


async def unless_cancelled(work: Callable[[verbs.Withdrawn], T]) -> T:
    """Waits for the work in another thread, which hears where nobody waits for it any longer."""
    withdrawn = threading.Event()
    try:
        return await threads.run(work, withdrawn.is_set)
    finally:
        withdrawn.set()


class AsyncAsking(Twin):
    """Requests, and handovers."""

    __slots__ = ()

    async def ask(
        self,
        session: str,
        verb: str,
        arguments: object = None,
        *,
        state: object = None,
        timeout: float = 30.0,
        default: Callable[[Any], Any] | None = None,
    ) -> Answer:
        """As `Engine.ask`. Cancelled, it withdraws the request, if that was not taken."""
        question = verbs.Question(session, verb, arguments, state, timeout, default)
        return await unless_cancelled(functools.partial(verbs.ask, self.engine, question))

    def attend(
        self,
        attendant: Attendant | None = None,
        *,
        asked: Asked | None = None,
        load: Load | None = None,
        failed: Failed | None = None,
        freeze: Freeze | None = None,
        unfreeze: Unfreeze | None = None,
        handed_over: TellHandedOver | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> Beginning:
        """As `Engine.attend`: `async with engine.attend(load=…)`, or await it. The program is called in the event loop, and each
        method may be `async def`."""
        calls = Calls(attendant, asked, load, failed, freeze, unfreeze, handed_over, default)
        return Beginning(self.engine, calls)

    async def take_handover(
        self,
        session: str,
        *,
        timeout: float = 30.0,
        check: Callable[[Any], object] | None = None,
    ) -> HandedOver:
        """As `Engine.take_handover`; `check` is called in the event loop, and may be `async def`. Cancelled, it asks for the
        session no longer."""
        loop = Loop()

        def look(state: Any) -> object:
            return True if check is None else loop.run(check, (state,))

        return await unless_cancelled(
            lambda withdrawn: verbs.take_handover(self.engine, session, timeout, look, withdrawn)
        )
