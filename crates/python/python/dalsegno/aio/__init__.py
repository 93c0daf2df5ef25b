"""The engine for asyncio: the same names, to be awaited.

No call blocks the event loop. A state is taken when `save` or `submit` is called and not when the disk is ready, so that what
the program changes meanwhile is not in it. A call that is cancelled is done wholly or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, final

from .. import engine as plain
from .._threads import threads
from ..engine import Engine, StrPath
from ..migration import Migration
from .access import AsyncAdmitting
from .ask import AsyncAsking, AsyncAttending
from .audit import AsyncAuditing
from .auto import AsyncAutoSaver, AsyncSavingItself
from .backup import AsyncBackingUp, drill, list_backups, restore_backup, verify_backup
from .base import AsyncTicket, awaited
from .event import AsyncFollower, AsyncListening, AsyncSubscription
from .guard import AsyncGuarding
from .keep import AsyncKeeping
from .key import AsyncLocking
from .lease import AsyncLeasing, AsyncSession
from .put import AsyncPuttingBack
from .read import AsyncReading
from .repair import AsyncRepairing, AsyncScrubbing
from .save import AsyncSaving

__all__ = [
    "AsyncAttending",
    "AsyncAutoSaver",
    "AsyncEngine",
    "AsyncFollower",
    "AsyncScrubbing",
    "AsyncSession",
    "AsyncSubscription",
    "AsyncTicket",
    "drill",
    "list_backups",
    "open",
    "restore_backup",
    "verify_backup",
]


@final
class AsyncEngine(
    AsyncSaving,
    AsyncReading,
    AsyncPuttingBack,
    AsyncKeeping,
    AsyncGuarding,
    AsyncLeasing,
    AsyncListening,
    AsyncSavingItself,
    AsyncAsking,
    AsyncLocking,
    AsyncRepairing,
    AsyncAdmitting,
    AsyncAuditing,
    AsyncBackingUp,
):
    """An `Engine` whose verbs are awaited. `dalsegno.aio.open` makes one; use it in `async with`, or `close` it."""

    __slots__ = ()

    @property
    def path(self) -> Path:
        """The store's file."""
        return self.engine.path

    @property
    def closed(self) -> bool:
        """Whether the engine was closed."""
        return self.engine.closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        closed = " (closed)" if self.closed else ""
        return f"<dalsegno.aio.AsyncEngine {str(self.path)!r}{closed}>"

    flush = awaited(Engine.flush)
    close = awaited(Engine.close)


async def open(
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
) -> AsyncEngine:
    """As `dalsegno.open`."""
    return AsyncEngine(
        await threads.run(
            plain.open,
            path,
            create=create,
            read_only=read_only,
            cache_bytes=cache_bytes,
            busy_timeout=busy_timeout,
            program=program,
            lease_ttl=lease_ttl,
            key=key,
            key_file=key_file,
            token=token,
            token_file=token_file,
            migrations=migrations,
        )
    )
