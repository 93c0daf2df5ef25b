"""Backups without a store: listed, proved, restored to a new one, tried."""

from __future__ import annotations

from typing import Literal, overload

from . import _dalsegno
from .engine import _own_name
from .results import BackupCheck, Backups, Drill, RestoreBackupPlan, RestoredBackup
from .verbs.backup import Progress
from .verbs.base import StrPath, Time, to_time

__all__ = ["Progress", "drill", "list_backups", "restore_backup", "verify_backup"]


def list_backups(path: StrPath) -> Backups:
    """The backups at `path`, a folder or an archive, the oldest first; and what there does not count as one, and why.

    What they say of themselves is read, which needs no key; that all of each is there, `verify_backup` proves.
    `NotFoundError` where there is nothing.
    """
    return _dalsegno.list_backups(path)


def verify_backup(
    path: StrPath,
    *,
    key: str | None = None,
    key_file: StrPath | None = None,
    progress: Progress | None = None,
) -> BackupCheck:
    """Reads every byte of an archive, or of all in a folder, and proves it, with those that it needs: whether each is `whole`.

    Damage is in the answer, and is no exception. What parity makes again is no loss. Nothing is changed. Raises
    `NotFoundError` where there is no backup, `WrongKeyError` where the key does not open one; without `key` and `key_file`
    what the environment says is taken, as in `open`.
    """
    return _dalsegno.verify_backup(path, key=key, key_file=key_file, progress=progress)


@overload
def restore_backup(
    from_: StrPath,
    into: StrPath,
    *,
    at: Time | None = None,
    salvage: bool = False,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
    dry_run: Literal[False] = False,
    progress: Progress | None = None,
) -> RestoredBackup: ...


@overload
def restore_backup(
    from_: StrPath,
    into: StrPath,
    *,
    at: Time | None = None,
    salvage: bool = False,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
    dry_run: Literal[True],
    progress: Progress | None = None,
) -> RestoreBackupPlan: ...


def restore_backup(
    from_: StrPath,
    into: StrPath,
    *,
    at: Time | None = None,
    salvage: bool = False,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> RestoredBackup | RestoreBackupPlan:
    """Makes a store at `into`, where there is none, of the backup `from_`: an archive, or the newest in a folder.

    It is the same store, with the same ids, as it was when the backup was made; what was erased since, as later backups in the
    folder say, stays away. All of it is read and proved first, and every state of the new store before it gets its place.
    `at` takes the newest backup that was made by then. `key` and `token`, or files that hold them, are as in `open`. With
    `dry_run` the backup is proved, nothing is made, and what would be is told.

    `salvage` restores what is left of a damaged backup: then `lost` of the answer says what is not there. Damage that the
    store had when the backup was made is in `verification`. Raises `ConflictError` where something stands at `into`,
    `NotFoundError` where there is no backup, or one that it needs is missing, `AmbiguousError` where the folder has those of
    several stores, `WrongKeyError`, `DamagedError`, `LockedError`. Then there is no new store.
    """
    return _dalsegno.restore_backup(
        from_,
        into,
        at=to_time(at),
        salvage=salvage,
        key=key,
        key_file=key_file,
        token=token,
        token_file=token_file,
        program=_own_name(),
        dry_run=dry_run,
        progress=progress,
    )


def drill(
    from_: StrPath,
    *,
    scratch: StrPath | None = None,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
    progress: Progress | None = None,
) -> Drill:
    """Restores a backup to a scratch folder, proves every state of it, and takes it away again: to know that it would work.

    Tells how old it is and how long it took. `scratch` is the folder to work in, instead of the system's for temporary files.
    Raises as `restore_backup` where it cannot be restored; damage that the store had when the backup was made is in
    `verification`.
    """
    return _dalsegno.drill(
        from_,
        scratch=scratch,
        key=key,
        key_file=key_file,
        token=token,
        token_file=token_file,
        progress=progress,
    )
