"""What happens to players and snapshots, told to whoever listens."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, TypeAlias, TypeVar, final, overload

__all__ = ["Event", "EventManager", "EventType", "Handler", "event_manager"]

logger = logging.getLogger("dalsegno.sonora")

PATIENCE = 1.0
"""How many seconds an awaited call waits for handlers; slower ones go on by themselves."""


class EventType(Enum):
    """What happened."""

    SNAPSHOT_CREATED = "snapshot_created"
    SNAPSHOT_AUTO_SAVED = "snapshot_auto_saved"
    SNAPSHOT_AUTO_CLEANUP = "snapshot_auto_cleanup"
    SNAPSHOT_CORRUPTION_DETECTED = "snapshot_corruption_detected"
    SNAPSHOT_RESTORED = "snapshot_restored"

    PLAYER_CREATE = "player_create"
    PLAYER_DESTROY = "player_destroy"
    PLAYER_FAILED = "player_failed"
    PLAYER_MOVED = "player_moved"

    TRACK_START = "track_start"
    TRACK_END = "track_end"
    TRACK_EXCEPTION = "track_exception"
    TRACK_STUCK = "track_stuck"
    QUEUE_EMPTY = "queue_empty"

    VOICE_DISCONNECTED = "voice_disconnected"
    NODE_READY = "node_ready"
    NODE_DISCONNECTED = "node_disconnected"


@final
class Event:
    """Something that happened."""

    __slots__ = ("data", "timestamp", "type")

    def __init__(self, type: EventType, data: dict[str, Any] | None = None) -> None:
        self.type = type
        self.data: dict[str, Any] = data or {}
        self.timestamp = time.time()

    def __repr__(self) -> str:
        return f"Event({self.type.name}, {self.data!r})"


Handler: TypeAlias = Callable[[Event], Any]
H = TypeVar("H", bound=Handler)


class EventManager:
    """Handlers of events, functions or coroutine functions. What one of them raises is logged, and harms nobody."""

    def __init__(self) -> None:
        self._handlers: dict[EventType, list[Handler]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        # Nobody else keeps them until they are done.
        self._tasks: set[asyncio.Task[None]] = set()

    @overload
    def on(self, event_type: EventType) -> Callable[[H], H]: ...
    @overload
    def on(self, event_type: EventType, handler: H) -> H: ...
    def on(self, event_type: EventType, handler: H | None = None) -> H | Callable[[H], H]:
        """Has a handler called with every event of that type; as a decorator, or with the handler. It is given back."""
        if handler is None:
            return lambda given: self.on(event_type, given)
        self._handlers.setdefault(event_type, []).append(handler)
        return handler

    def off(self, event_type: EventType, handler: Handler) -> None:
        """Does not have the handler called any more."""
        handlers = self._handlers.get(event_type, [])
        if handler in handlers:
            handlers.remove(handler)

    def remove_all_listeners(self, event_type: EventType | None = None) -> None:
        """Forgets all handlers, or those of a type."""
        if event_type is None:
            self._handlers.clear()
        else:
            self._handlers.pop(event_type, None)

    def use_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Where coroutine functions run that are told from a thread without a loop."""
        self._loop = loop

    def tell(self, event_type: EventType, **data: Any) -> list[asyncio.Task[None]]:
        """Tells all handlers. Functions have run when this returns; the tasks are those of coroutine functions."""
        event = Event(event_type, data)
        begun: list[asyncio.Task[None]] = []
        for handler in tuple(self._handlers.get(event_type, ())):
            try:
                answer = handler(event)
            except Exception:
                logger.exception("a handler of %s failed", event_type.name)
                continue
            if inspect.isawaitable(answer):
                task = self._begin(_carried_out(answer, event_type))
                begun += [task] if task else []
        return begun

    async def told(self, event_type: EventType, **data: Any) -> None:
        """As `tell`, and waits a moment for the tasks."""
        begun = self.tell(event_type, **data)
        if begun:
            await asyncio.wait(begun, timeout=PATIENCE)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._loop is not None and self._loop.is_running():
                asyncio.run_coroutine_threadsafe(work, self._loop)
            else:
                asyncio.run(work)
            return None
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _carried_out(answer: Any, event_type: EventType) -> None:
    try:
        await answer
    except Exception:
        logger.exception("a handler of %s failed", event_type.name)


event_manager = EventManager()
"""The one that all clients and snapshots tell."""
