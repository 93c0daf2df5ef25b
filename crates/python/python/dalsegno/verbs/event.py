"""Listening to what happens."""

from __future__ import annotations

import builtins

from ..events import Event, Follower, Subscription, event
from .base import Verbs

__all__ = ["Listening"]


class Listening(Verbs):
    """Verbs that tell what happens."""

    __slots__ = ()

    def events(self, count: int = 20) -> builtins.list[Event]:
        """The last `count` events of the store, oldest first; as far back as they are kept."""
        return [event(told) for told in self._handle.events(count)]

    def subscribe(self) -> Subscription:
        """Listens to what happens through this engine, from now on.

        `for event in engine.subscribe()` waits for each, and ends when the engine is closed.
        """
        return Subscription(self)

    def follow(self) -> Follower:
        """Follows what happens in the store from now on, by whatever program.

        `for event in engine.follow()` waits for each, and ends when the engine is closed.
        """
        return Follower(self)
