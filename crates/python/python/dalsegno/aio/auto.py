"""Saving by itself: the states are asked for in the event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import signal
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, cast, final

from .._threads import threads
from ..asked import Keep
from ..autosave import Answer, AutoSaver, Every, How, Provider, Registered, refusal
from ..engine import Engine
from ..errors import DalsegnoError, InvalidInputError
from ..results import Opened
from .base import Twin

__all__ = ["AsyncAutoSaver", "AsyncSavingItself"]

LOOK = 0.1
"""How many seconds pass before whoever waits for the loop looks whether it is still there."""

SLICE = 0.005
"""How many seconds at once providers keep others from the loop."""

LONGEST = 30.0
"""How many seconds an `async def` may take to give a state."""


@final
class LoopSaver(AutoSaver):
    """Asks in an event loop."""

    def __init__(self, engine: Engine, how: How) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(engine, how)

    def check_thread(self) -> None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            return
        if here is self._loop:
            raise InvalidInputError(
                "the last save needs the event loop that would wait for it here: await stop(), or close() of the "
                "asyncio engine"
            )

    def _ask(self, sessions: list[str], last: bool) -> dict[str, Answer]:
        answers: concurrent.futures.Future[dict[str, Answer]] = concurrent.futures.Future()

        def begin() -> None:
            task = self._loop.create_task(self._gather(sessions, last, answers))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        nobody = "the event loop does not run: await stop() before it ends"
        if not self._loop.is_running():
            return dict.fromkeys(sessions, nobody)
        try:
            self._loop.call_soon_threadsafe(begin)
        except RuntimeError:
            return dict.fromkeys(sessions, nobody)
        ran = True
        while True:
            done, _ = concurrent.futures.wait([answers], LOOK)
            if done:
                return answers.result()
            if self._saver.pausing:
                # A fork, which this very loop may wait in. They are asked for again after it.
                return {}
            # Twice, because a loop may end and begin anew.
            if not ran and not self._loop.is_running():
                return dict.fromkeys(sessions, nobody)
            ran = self._loop.is_running()

    async def _gather(
        self,
        sessions: list[str],
        last: bool,
        answers: concurrent.futures.Future[dict[str, Answer]],
    ) -> None:
        found: dict[str, Answer] = {}
        waiting: list[asyncio.Task[None]] = []
        try:
            began = self._loop.time()
            for session in sessions:
                registered = self._registered.get(session)
                if registered is not None:
                    waits = self._begin(session, registered, last, found)
                    if waits is not None:
                        waiting.append(waits)
                if self._loop.time() - began > SLICE:
                    await asyncio.sleep(0)
                    began = self._loop.time()
            await asyncio.gather(*waiting)
        except asyncio.CancelledError:
            for session in sessions:
                found.setdefault(session, "the event loop ends: await stop() before that")
            raise
        finally:
            answers.set_result(found)

    def _begin(
        self, session: str, registered: Registered, last: bool, found: dict[str, Answer]
    ) -> asyncio.Task[None] | None:
        """Asks for a state. What is not there at once is there when the task is done."""
        try:
            state = registered.state(last)
            if inspect.isawaitable(state):
                waits = self._wait(session, registered, cast("Awaitable[object]", state), found)
                return self._loop.create_task(waits)
            found[session] = registered.text(state)
        except Exception as error:  # noqa: BLE001 - it is told as an event
            found[session] = refusal(session, error)
        return None

    async def _wait(
        self,
        session: str,
        registered: Registered,
        state: Awaitable[object],
        found: dict[str, Answer],
    ) -> None:
        try:
            async with asyncio.timeout(LONGEST):
                found[session] = registered.text(await state)
        except Exception as error:  # noqa: BLE001 - it is told as an event
            found[session] = refusal(session, error)


@final
class AsyncAutoSaver:
    """Saves sessions by itself, as `dalsegno.AutoSaver`; use it in `async with`, or `stop` it before the loop ends.

    The providers are called in the event loop that it was begun in, between one step of the program and the next, so that they
    see no state that is half changed; they may be `async def`. The disk is waited for elsewhere.
    """

    __slots__ = ("__weakref__", "_saver")

    def __init__(self, engine: Engine, how: How) -> None:
        self._saver = LoopSaver(engine, how)

    @property
    def running(self) -> bool:
        """Whether it saves: it was not stopped, and this is the process that began it."""
        return self._saver.running

    async def register(
        self,
        session: str,
        provider: Provider,
        *,
        every: Every | None = None,
        jitter: float | None = None,
        min_change: int | None = None,
        when: Callable[[], bool] | None = None,
        keep: Keep | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> Opened:
        """As `dalsegno.AutoSaver.register`; `provider` and `when` are called in the event loop, and `provider` may be `async def`."""
        return await threads.run(
            self._saver.register,
            session,
            provider,
            every=every,
            jitter=jitter,
            min_change=min_change,
            when=when,
            keep=keep,
            default=default,
        )

    def sessions(self) -> list[str]:
        """The sessions that are saved by themselves, by name."""
        return self._saver.sessions()

    def touch(self, session: str) -> None:
        """As `dalsegno.AutoSaver.touch`. It is not awaited."""
        self._saver.touch(session)

    async def save_now(self, session: str | None = None) -> None:
        """As `dalsegno.AutoSaver.save_now`."""
        await threads.run(self._saver.save_now, session)

    async def unregister(self, session: str) -> None:
        """As `dalsegno.AutoSaver.unregister`."""
        await threads.run(self._saver.unregister, session)

    async def stop(self) -> None:
        """As `dalsegno.AutoSaver.stop`."""
        await threads.run(self._saver.stop)

    def save_on_signals(
        self, signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT)
    ) -> None:
        """As `dalsegno.AutoSaver.save_on_signals`. Handlers of `loop.add_signal_handler` are called at once, not after the save."""
        self._saver.save_on_signals(signals)

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
        stopped = "" if self.running else " (stopped)"
        return f"<dalsegno.aio.AsyncAutoSaver of {len(self.sessions())} sessions{stopped}>"


class AsyncSavingItself(Twin):
    """The verb that begins to save sessions by themselves."""

    __slots__ = ()

    def auto_save(
        self,
        *,
        every: Every = 30.0,
        jitter: float = 0.0,
        min_change: int = 1,
        keep: Keep | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> AsyncAutoSaver:
        """As `Engine.auto_save`: `async with engine.auto_save(every=1.0) as saver`. It is not awaited."""
        return AsyncAutoSaver(self.engine, How(every, jitter, min_change, None, keep, default))
