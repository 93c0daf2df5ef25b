"""What opens an encrypted store, and erasing what is in it."""

from __future__ import annotations

import builtins

from ..results import Erasure, KeySlot, Tombstone
from .base import Verbs

__all__ = ["Locking"]


class Locking(Verbs):
    """Verbs of encryption."""

    __slots__ = ()

    @property
    def encrypted(self) -> bool:
        """Whether the store is encrypted."""
        return self._handle.encrypted

    def key_slots(self) -> builtins.list[KeySlot]:
        """What opens the store, by number; empty where it is not encrypted."""
        return self._handle.key_slots()

    def add_key(self, key: str, *, label: str | None = None) -> KeySlot:
        """Lets another key, or passphrase, open the store too.

        Raises `ConflictError` where it does already, or the store is not encrypted.
        """
        return self._handle.add_key(key, label)

    def remove_key(self, id: int) -> None:
        """Takes a key away, and writes the file anew so that it is nowhere in it; the last one stays.

        It still opens copies that were made before.
        """
        self._handle.remove_key(id)

    def rotate_key(self, current: str, next: str, *, label: str | None = None) -> KeySlot:
        """Puts a new key, or passphrase, in the place of the one that is given."""
        return self._handle.rotate_key(current, next, label)

    def erase_session(self, session: str, *, dry_run: bool = False) -> Erasure:
        """Erases a session for good: its key, its rows, what names it; the file is written anew.

        A keyed hash of its name stays, so that backups that are restored later do not bring it back, where one that was made
        since lies in the same folder. Copies of the store, exports and forks it does not reach. `LockedError` where a program has it open.
        """
        return self._handle.erase_session(session, dry_run)

    def is_erased(self, session: str) -> bool:
        """Whether a session of that name was erased."""
        return self._handle.is_erased(session)

    def tombstones(self) -> builtins.list[Tombstone]:
        """What is left of sessions that were erased."""
        return self._handle.tombstones()
