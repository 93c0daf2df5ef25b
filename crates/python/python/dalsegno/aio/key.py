"""What opens an encrypted store, and erasing what is in it, to be awaited."""

from __future__ import annotations

from ..engine import Engine
from .base import Twin, awaited

__all__ = ["AsyncLocking"]


class AsyncLocking(Twin):
    """Verbs of encryption."""

    __slots__ = ()

    key_slots = awaited(Engine.key_slots)
    add_key = awaited(Engine.add_key)
    remove_key = awaited(Engine.remove_key)
    rotate_key = awaited(Engine.rotate_key)
    erase_session = awaited(Engine.erase_session)
    is_erased = awaited(Engine.is_erased)
    tombstones = awaited(Engine.tombstones)

    @property
    def encrypted(self) -> bool:
        """Whether the store is encrypted."""
        return self.engine.encrypted
