"""The engine: a store of sessions and everything that can be done with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, final

from . import _dalsegno
from .asked import Duration
from .attending import stop_of as stop_attending
from .autosave import stop_of
from .migration import Migration, given
from .results import Rebuilt, Turned
from .verbs.access import Admitting
from .verbs.ask import Asking
from .verbs.audit import Auditing
from .verbs.auto import SavingItself
from .verbs.backup import BackingUp
from .verbs.base import Ref, StrPath, Time, Words
from .verbs.cleanup import CleaningUp
from .verbs.event import Listening
from .verbs.find import Finding
from .verbs.guard import Guarding
from .verbs.keep import Keeping
from .verbs.key import Locking
from .verbs.lease import Leasing
from .verbs.put import PuttingBack
from .verbs.read import Reading
from .verbs.repair import Repairing
from .verbs.save import Saving, Ticket
from .verbs.transfer import Transferring

__all__ = [
    "Duration",
    "Engine",
    "Ref",
    "StrPath",
    "Ticket",
    "Time",
    "Words",
    "decrypt",
    "encrypt",
    "generate_key",
    "open",
    "rebuild",
]


@final
class Engine(
    Leasing,
    Saving,
    Finding,
    Reading,
    PuttingBack,
    Keeping,
    CleaningUp,
    Transferring,
    Guarding,
    Listening,
    SavingItself,
    Asking,
    Locking,
    Repairing,
    Admitting,
    Auditing,
    BackingUp,
):
    """A store of sessions. `dalsegno.open` makes one; use it in a `with` statement, or `close` it.

    An engine may be shared between threads. It may also be kept across `os.fork` and `multiprocessing`: it is
    opened again in the child when it is used there. Sessions that it has open stay the parent's.
    """

    __slots__ = ()

    @property
    def path(self) -> Path:
        """The store's file."""
        return self._handle.path

    @property
    def read_only(self) -> bool:
        """Whether the store can only be read: saves are refused."""
        return self._handle.read_only

    @property
    def closed(self) -> bool:
        """Whether the engine was closed."""
        return self._handle.closed

    def flush(self) -> None:
        """Waits until everything submitted before is committed or refused; each ticket tells which."""
        self._handle.flush()

    def close(self) -> None:
        """Stops what attends to requests and what saves by itself, finishes what was submitted, closes the sessions that are open, packs records and closes
        the store. Doing it again does nothing.

        Where it raises `ConflictError`, another program had taken a session over; otherwise packing failed. Every acknowledged
        snapshot is safe all the same.
        """
        # First, because a session that is changed for somebody is not saved meanwhile.
        stop_attending(self)
        refused = stop_of(self)
        self._handle.close()
        if refused is not None:
            raise refused

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = " (closed)" if self.closed else ""
        return f"<dalsegno.Engine {str(self.path)!r}{closed}>"


def open(
    path: StrPath | None = None,
    *,
    create: bool = True,
    read_only: bool = False,
    cache_bytes: int | None = None,
    busy_timeout: float = 10.0,
    program: str | None = None,
    lease_ttl: float = 30.0,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
    migrations: Iterable[Migration] = (),
) -> Engine:
    """Opens the store at `path`: a file, or a folder that holds `store.db`.

    Where there is none, it is made, unless `create` is False: a path that ends with `.db` is the file, any other is a
    folder. Without a path, it is the store that the command would use: what the environment's `DALSEGNO_STORE` says, that of
    the working directory's `.dalsegno`, that of the user's data folder; else one is made in `.dalsegno`.

    With `read_only`, nothing is written and nothing is made. `cache_bytes` is how much memory newest states may take (256
    MiB), `busy_timeout` how many seconds to wait for another process that writes.

    `program` is what this program is called where others are told that it has a session open; by default the name of its
    file. `lease_ttl` is how many seconds a session stays open for a program that says nothing, such as one that was stopped, or
    on another machine.

    `key` is the key or passphrase of an encrypted store, `key_file` a file that holds it; without either, what the
    environment's `DALSEGNO_KEY_FILE` or `DALSEGNO_KEY` says. A new store is encrypted with it. A store that is not encrypted is
    refused then (`WrongKeyError`): somebody may have put it in the place of an encrypted one.

    `token` says who uses the store, where it has principals (see `add_principal`), `token_file` a file that holds it; without
    either, what the environment's `DALSEGNO_TOKEN_FILE` or `DALSEGNO_TOKEN` says. What somebody may not do is refused with
    `AccessDeniedError` when it is tried.

    `migrations` are the steps by which older states become the current shape: `restore` gives that, and saves carry the
    newest schema version unless they name one. Steps that lead in a circle, to two newest versions, or twice from one
    version raise `InvalidInputError`.

    Raises `WrongKeyError` where the key does not open the store, `StoreNotFoundError` (a `FileNotFoundError`) where there is none, `InvalidInputError` where something else stands
    there, `DamagedError`, `AccessDeniedError`, `StorageError`.
    """
    if program is None:
        program = _own_name()
    return Engine(
        _dalsegno.Handle(
            path,
            create,
            read_only,
            cache_bytes,
            busy_timeout,
            program,
            lease_ttl,
            key,
            key_file,
            token,
            token_file,
            given(migrations),
        )
    )


def generate_key() -> str:
    """A new key: `dalsegno-key-…`. Keep it where neither the store nor its backups are; without it, nothing opens the store."""
    return _dalsegno.generate_key()


def rebuild(
    path: StrPath,
    sources: Iterable[StrPath] = (),
    *,
    dry_run: bool = False,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
) -> Rebuilt:
    """Builds a store anew, whose file cannot be read any more, from what can be read of it and from `sources`, backups or copies
    of it, as for `Engine.repair`.

    The new file takes the place of the old one, which is kept beside as `NAME.damaged-TIME`. Nothing may have the store open
    (`LockedError`). Interrupted, it is called again, and finishes. `DamagedError` where nothing says which store it is: give a
    source. Keys and tokens are as in `open`.
    """
    return _dalsegno.rebuild(path, list(sources), dry_run, key, key_file, token, token_file)


def encrypt(
    path: StrPath,
    *,
    key: str | None = None,
    key_file: StrPath | None = None,
    label: str | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
) -> Turned:
    """Encrypts a store that nothing has open. From then on only this key, and those that are added, open it.

    Every row is sealed in one transaction, then the file is written anew, so that nothing that was in clear is left in it. What
    other copies hold it does not reach. `token` and `token_file` are as in `open`. Raises `ConflictError` where it is encrypted already, `LockedError` where a program has
    sessions open. Interrupted, it is called again.
    """
    return _dalsegno.encrypt(path, key, key_file, label, token, token_file)


def decrypt(
    path: StrPath,
    *,
    key: str | None = None,
    key_file: StrPath | None = None,
    token: str | None = None,
    token_file: StrPath | None = None,
) -> Turned:
    """Turns the encryption of a store off, otherwise as `encrypt`."""
    return _dalsegno.decrypt(path, key, key_file, token, token_file)


def _own_name() -> str:
    path = Path(sys.argv[0]) if sys.argv else Path()
    # Of a package that is run, the package's.
    name = path.parent.name if path.name == "__main__.py" else path.name
    return name if name not in ("", "-c", "-m") else "python"
