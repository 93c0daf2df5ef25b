"""What happens in a store, told as it happens.

`Engine.subscribe` tells what this program does, `Engine.follow` what any program does, and `Engine.events` what happened
before.
"""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, final

from . import _dalsegno
from .errors import InvalidInputError

if TYPE_CHECKING:
    from .verbs.base import Verbs

__all__ = ["Event", "EventKind", "Follower", "Subscription"]

EventKind: TypeAlias = Literal[
    "created",
    "auto_saved",
    "auto_save_failed",
    "imported",
    "forked",
    "restored",
    "rolled_back",
    "undone",
    "redone",
    "shrink_guarded",
    "cleaned_up",
    "deleted",
    "corruption_detected",
    "repaired",
    "erased",
    "recovered",
    "lease_lost",
]
"""What happened. Later versions may have more words."""

LOOK = 0.1
"""How many seconds pass between one look at the store and the next. A look costs some microseconds."""

WAKE = 0.1
"""How long a wait lasts at most before signals (Ctrl-C) are looked for."""


@final
@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    kind: EventKind
    """What."""
    session: str | None
    """To which session; None where it concerns the store, or several."""
    actor: str | None
    """Who did it, where that is known: the program."""
    at: datetime
    """When: UTC."""
    detail: dict[str, Any]
    """What else there is to say, by the names that `dalsegno events --json` has: `snapshot`, `message`, `deleted`, …"""


def event(told: _dalsegno._Told) -> Event:
    at, kind, session, actor, detail = told
    return Event(kind, session, actor, at, detail)


@final
class Subscription:
    """What happens through one engine, from when it was subscribed: `Engine.subscribe` gives it.

    As an iterator it waits for each event, and ends when the engine is closed. A listener that is slow holds up nobody: as many
    as 4,096 events wait for it, and of more the oldest are left out.
    """

    def __init__(self, engine: Verbs) -> None:
        # Which is open as long as somebody listens.
        self._engine = engine
        self._subscription = engine._handle.subscribe()

    def wait(self, timeout: float | None = None) -> Event | None:
        """The next event; None where none came for `timeout` seconds, or the engine is closed and none will come."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            # What was told before it was closed is told.
            closed = self._engine._handle.closed
            left = WAKE if end is None else min(WAKE, end - time.monotonic())
            told = self._subscription.wait(0.0 if closed else max(left, 0.0))
            if told is not None:
                return event(told)
            if closed or left <= 0:
                return None

    @property
    def missed(self) -> int:
        """How many events were left out so far because this listener was too slow."""
        return self._subscription.missed()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        found = self.wait()
        if found is None:
            raise StopIteration
        return found


@final
class Follower:
    """What happens in a store, by whatever program, from when it was followed: `Engine.follow` gives it.

    As an iterator it waits for each event, and ends when the engine is closed.
    """

    def __init__(self, engine: Verbs) -> None:
        self._engine = engine
        self._follower = engine._handle.follow()
        self._found: deque[Event] = deque()

    def poll(self) -> list[Event]:
        """What happened since the last look, in order. Waits for nothing."""
        self._look()
        found = list(self._found)
        self._found.clear()
        return found

    def look(self) -> bool:
        """Looks for news, to be had by `wait`; False where there are none."""
        if not self._found:
            self._look()
        return bool(self._found)

    def wait(self, timeout: float | None = None) -> Event | None:
        """The next event; None where none came for `timeout` seconds, or the engine is closed."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._found:
            try:
                self._look()
            except InvalidInputError:
                if self._engine._handle.closed:
                    return None
                raise
            if self._found:
                break
            left = LOOK if end is None else min(LOOK, end - time.monotonic())
            if left <= 0:
                return None
            time.sleep(left)
        return self._found.popleft()

    def _look(self) -> None:
        self._found.extend(map(event, self._engine._handle.poll(self._follower)))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        found = self.wait()
        if found is None:
            raise StopIteration
        return found
