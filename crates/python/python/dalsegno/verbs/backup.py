"""Backups of the store, and sessions out of them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Literal, TypeAlias, overload

from ..results import (
    BackedUp,
    BackupStep,
    KnownBackup,
    RestoredSession,
    RestoreSessionPlan,
)
from .base import StrPath, Time, Verbs, to_time

__all__ = ["BackingUp", "Progress"]

Progress: TypeAlias = Callable[[BackupStep, int, int | None], object]
"""Is told how far the work is: the step, how much of it is done, and of how much, where that is known. All are bytes, but of
`verifying` sessions. Where it gives False the work is cancelled with `StorageError`; what it raises cancels it too, and is
raised. It is called in the thread that works."""


class BackingUp(Verbs):
    """Verbs of backups."""

    __slots__ = ()

    def back_up(
        self,
        path: StrPath,
        *,
        incremental: bool = False,
        differential: StrPath | None = None,
        parity: int = 10,
        progress: Progress | None = None,
    ) -> BackedUp:
        """Makes a backup of the whole store, of one moment, while it goes on being used.

        `path` is a folder, where the archive gets a name of its own, or the archive's file, which ends with `.dalsegno`. It
        has another name until it is complete, read back and durable; where an earlier call was interrupted, its part is gone
        on with. Of an encrypted store it is encrypted too, and opened by what opens the store now.

        `incremental` takes what changed since the newest backup in the same folder that is whole, and everything where there
        is none; `differential` what changed since that backup: its file, or the beginning of its id. `parity` is the share of
        the archive, in percent, that may be damaged without loss: 0 to 50.

        Raises `ConflictError` where a file of that name exists, `NotFoundError` or `AmbiguousError` where there is no such
        base, or several, `DamagedError` where the base is, `LockedError` where another program writes the same backup. Then
        there is no new backup.
        """
        return self._handle.back_up(
            path,
            incremental=incremental,
            differential=None if differential is None else str(differential),
            parity=parity,
            progress=progress,
        )

    @overload
    def restore_session(
        self,
        from_: StrPath,
        session: str,
        *,
        as_name: str | None = None,
        at: Time | None = None,
        key: str | None = None,
        key_file: StrPath | None = None,
        dry_run: Literal[False] = False,
        progress: Progress | None = None,
    ) -> RestoredSession: ...

    @overload
    def restore_session(
        self,
        from_: StrPath,
        session: str,
        *,
        as_name: str | None = None,
        at: Time | None = None,
        key: str | None = None,
        key_file: StrPath | None = None,
        dry_run: Literal[True],
        progress: Progress | None = None,
    ) -> RestoreSessionPlan: ...

    def restore_session(
        self,
        from_: StrPath,
        session: str,
        *,
        as_name: str | None = None,
        at: Time | None = None,
        key: str | None = None,
        key_file: StrPath | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> RestoredSession | RestoreSessionPlan:
        """Adds the snapshots of a session that a backup has and this store has not, and makes the backup's newest state its newest.

        `from_` is an archive, or a folder, of which the newest backup is taken. `as_name` is the name it gets here. `at` is the
        time of whose state it is to be, of the oldest backup in the folder that was made since. `key` or `key_file` opens a
        backup whose keys this store does not have. With `dry_run` nothing is changed, and what would be is told.

        All of it is read and proved before anything is added; where it is interrupted, the same call does the rest. Raises
        `NotFoundError` where there is no backup, or no such session in it, `ConflictError` where the session was erased since or
        a name is taken, `LockedError` where another program has the session open, `WrongKeyError`, `DamagedError`.
        """
        return self._handle.restore_session(
            from_,
            session,
            as_name=as_name,
            at=to_time(at),
            key=key,
            key_file=key_file,
            dry_run=dry_run,
            progress=progress,
        )

    def known_backups(self) -> builtins.list[KnownBackup]:
        """The backups that were made of the store, the oldest first, and whether each is still where it was written.

        Those that were taken out of the folder of a later one are left out.
        """
        return self._handle.known_backups()
