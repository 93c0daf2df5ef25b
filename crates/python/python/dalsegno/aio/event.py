"""Listening to what happens, with `async for`."""

from __future__ import annotations

import asyncio
import time
from typing import Self, final

from .. import events as plain
from .._threads import threads
from ..engine import Engine
from ..errors import InvalidInputError
from ..events import Event
from .base import Twin, awaited

__all__ = ["AsyncFollower", "AsyncListening", "AsyncSubscription"]

LOOK = 0.05
"""How many seconds pass between one look for news and the next."""


@final
class AsyncSubscription:
    """What happens through one engine, as `dalsegno.events.Subscription`: for `async for`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._subscription = engine.subscribe()

    async def wait(self, timeout: float | None = None) -> Event | None:
        """The next event; None where none came for `timeout` seconds, or the engine is closed and none will come."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            # What was told before it was closed is told.
            closed = self._engine.closed
            event = self._subscription.wait(0.0)
            left = LOOK if end is None else min(LOOK, end - time.monotonic())
            if event is not None or closed or left <= 0:
                return event
            await asyncio.sleep(left)

    @property
    def missed(self) -> int:
        """How many events were left out so far because this listener was too slow."""
        return self._subscription.missed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self.wait()
        if event is None:
            raise StopAsyncIteration
        return event


@final
class AsyncFollower:
    """What happens in a store, by whatever program, as `dalsegno.events.Follower`: for `async for`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._follower = engine.follow()

    async def poll(self) -> list[Event]:
        """What happened since the last look, in order."""
        return await threads.run(self._follower.poll)

    async def wait(self, timeout: float | None = None) -> Event | None:
        """The next event; None where none came for `timeout` seconds, or the engine is closed."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                # Were this cancelled, what was found would be there for the next.
                if await threads.run(self._follower.look):
                    return self._follower.wait(0.0)
            except InvalidInputError:
                if self._engine.closed:
                    return None
                raise
            left = plain.LOOK if end is None else min(plain.LOOK, end - time.monotonic())
            if left <= 0:
                return None
            await asyncio.sleep(left)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self.wait()
        if event is None:
            raise StopAsyncIteration
        return event


class AsyncListening(Twin):
    """Verbs that tell what happens."""

    __slots__ = ()

    events = awaited(Engine.events)

    def subscribe(self) -> AsyncSubscription:
        """As `Engine.subscribe`: `async for event in engine.subscribe()`. It is not awaited."""
        return AsyncSubscription(self.engine)

    def follow(self) -> AsyncFollower:
        """As `Engine.follow`: `async for event in engine.follow()`. It is not awaited."""
        return AsyncFollower(self.engine)
