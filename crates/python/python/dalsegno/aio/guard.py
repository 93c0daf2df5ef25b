"""Lists that lose no items without a word, to be awaited."""

from __future__ import annotations

from ..engine import Engine
from .base import Twin, awaited

__all__ = ["AsyncGuarding"]


class AsyncGuarding(Twin):
    """The shrink guard."""

    __slots__ = ()

    set_guard = awaited(Engine.set_guard)
    guards = awaited(Engine.guards)
    remove_guard = awaited(Engine.remove_guard)
    guarded_sessions = awaited(Engine.guarded_sessions)
    guard_status = awaited(Engine.guard_status)
    guard_restore = awaited(Engine.guard_restore)
