"""The rollback manager for asyncio: no call waits for the store on the event loop.

The session itself is only looked at and changed on the loop, where the program changes it too. Calls on one manager come one
after the other. A call that is cancelled is carried out all the same.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any, TypeVar

from .._threads import threads
from ..aio import AsyncEngine
from ..engine import Engine
from .checks import Check
from .core import Snapshots, Turn, Verb, Work
from .sessions import GAME_FIELDS, Fields
from .snapshot import StateSnapshot

__all__ = ["AsyncStateRollbackManager", "manage"]

T = TypeVar("T")


async def manage(
    session: Any,
    max_snapshots: int = 10,
    *,
    fields: Fields = GAME_FIELDS,
    engine: AsyncEngine | Engine | None = None,
    name: str | None = None,
    every: int | None = None,
    check: Check | None = None,
) -> AsyncStateRollbackManager:
    """An `AsyncStateRollbackManager` of the session; the parameters are those of `StateRollbackManager`."""
    store = engine.engine if isinstance(engine, AsyncEngine) else engine

    def made() -> AsyncStateRollbackManager:
        return AsyncStateRollbackManager(
            session,
            max_snapshots,
            fields=fields,
            engine=store,
            name=name,
            every=every,
            check=check,
        )

    # Only the store is waited for.
    return made() if store is None else await threads.run(made)


class AsyncStateRollbackManager(Snapshots):
    """Takes snapshots of a session's state and goes back to them. `manage` makes one."""

    @functools.cached_property
    def _one_at_a_time(self) -> asyncio.Lock:
        return asyncio.Lock()

    async def _run(self, verb: Verb[T], first: Work | None = None) -> T:
        # What was begun is ended, also where nobody waits for it any more.
        return await asyncio.shield(self._carry_out(verb, first))

    async def _carry_out(self, verb: Verb[T], first: Work | None) -> T:
        """Does the verb's work in another thread, where it may wait for a store."""
        async with self._one_at_a_time:
            try:
                work = next(verb) if first is None else first
                while True:
                    try:
                        answer = work() if self.engine is None else await threads.run(work)
                    except BaseException as error:  # noqa: BLE001, it goes on in the verb
                        work = verb.throw(error)
                    else:
                        work = verb.send(answer)
            except StopIteration as end:
                done: T = end.value
                return done

    async def create_snapshot(self, label: str = "auto") -> StateSnapshot:
        """As `StateRollbackManager.create_snapshot`."""
        # The state is taken now, whoever else is at work.
        verb = self.creating(label)
        return await self._run(verb, next(verb))

    async def rollback_to(self, snapshot_id: str) -> bool:
        """As `StateRollbackManager.rollback_to`."""
        return await self._run(self.rolling_back(snapshot_id))

    async def rollback_last(self) -> bool:
        """As `StateRollbackManager.rollback_last`."""
        return await self._run(self.rolling_back(None))

    async def turn_done(self) -> Turn:
        """As `StateRollbackManager.turn_done`."""
        return await self._run(self.ending_turn())
