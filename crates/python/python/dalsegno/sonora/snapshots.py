"""What was kept of a player, and saving it by a timer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import Protocol, final

from .._dalsegno import SonoraCore, SonoraFolder
from .._threads import threads
from .access import Access, User
from .errors import DamagedError, InvalidInputError
from .events import EventType, event_manager
from .snapshot import Snapshot

__all__ = ["Snapshots"]

logger = logging.getLogger("dalsegno.sonora")

ORDERS: dict[str, Callable[[Snapshot], tuple[float, str]]] = {
    "created_at": lambda it: (it.timestamp, ""),
    "timestamp": lambda it: (it.timestamp, ""),
    "size": lambda it: (float(it.size), ""),
    "name": lambda it: (0.0, it.name),
}


class Takes(Protocol):
    """Takes a snapshot."""

    def __call__(self, name: str | None, by_timer: bool = False) -> Snapshot: ...


@final
class Snapshots(Access):
    """The snapshots of a player: those that were taken of it, also before the bot was last started.

    With `auto_save`, one more is taken every `auto_save_interval` seconds where `auto_save_condition` says so; of these,
    the last `max_snapshots` are kept. Where `save_path` says a folder, each is written there as well.
    """

    # A setting that there is not is an error.
    __slots__ = (
        "_changed",
        "_folder",
        "_interval",
        "_path",
        "_takes",
        "_task",
        "_wanted",
        "auto_save_condition",
        "enable_integrity_check",
        "max_snapshots",
    )

    def __init__(self, core: SonoraCore, guild_id: int, takes: Takes) -> None:
        super().__init__(core, guild_id)
        self._takes = takes
        self._interval = 300.0
        self._path: str | None = None
        self._folder: SonoraFolder | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._wanted = False
        self.max_snapshots = 50
        """How many of those that the timer took are kept, in the store and in the folder."""
        self.auto_save_condition: Callable[[], object] | None = None
        """Asked without arguments whenever the timer is due; one that raises is logged, and asked again."""
        self.enable_integrity_check = True
        """Whether a snapshot is verified before it is loaded."""

    async def list_snapshots(
        self,
        since: datetime | timedelta | None = None,
        until: datetime | timedelta | None = None,
        limit: int | None = None,
        sort_by: str = "created_at",
        reverse: bool = False,
    ) -> list[Snapshot]:
        """The snapshots of this player, the oldest first, damaged ones too; none is read before it is asked for data.

        `since` and `until` are times, or how long ago. `sort_by` is `created_at`, `size` or `name`; `limit` is
        applied to what is sorted.
        """
        if sort_by not in ORDERS:
            raise InvalidInputError(f"sort_by is one of {', '.join(ORDERS)}, not {sort_by!r}")
        if limit is not None and limit < 0:
            raise InvalidInputError(f"a limit of {limit}; it is from 0 on")
        first, last = _time(since), _time(until)
        records, damaged = await threads.run(self._core.snapshots, self._guild_id)
        why = DamagedError(
            "what is said of this snapshot is damaged; repair it, or load another one"
        )
        found = [
            Snapshot._of_damage(self._guild_id, f"damaged {id}", why, self._core, id)
            for id in damaged
        ]
        found += [Snapshot._of_store(self._core, self._guild_id, it) for it in records]
        found = [
            it
            for it in found
            if (first is None or it.timestamp >= first) and (last is None or it.timestamp <= last)
        ]
        found.sort(key=ORDERS[sort_by], reverse=reverse)
        return found[:limit]

    # Saving by a timer.

    @property
    def auto_save(self) -> bool:
        """Whether the timer runs. It is turned on in the loop of the bot."""
        return self._wanted

    @auto_save.setter
    def auto_save(self, enabled: bool) -> None:
        self._wanted = bool(enabled)
        running = self._task is not None and not self._task.done()
        if self._wanted and not running:
            self._task = asyncio.get_running_loop().create_task(self._run())
        elif not self._wanted and self._task is not None:
            self._task.cancel()
            self._task = None

    auto_save_enabled = auto_save

    @property
    def auto_save_interval(self) -> float:
        """The seconds between two; another one counts from when it is assigned."""
        return self._interval

    @auto_save_interval.setter
    def auto_save_interval(self, seconds: float) -> None:
        if not seconds > 0:
            raise InvalidInputError(f"an interval of {seconds} s; it is longer than 0")
        self._interval = seconds
        self._changed.set()

    @property
    def save_path(self) -> str | None:
        """A folder to write them to as well, named by guild and time; nothing for the store alone."""
        return self._path

    @save_path.setter
    def save_path(self, path: str | PathLike[str] | None) -> None:
        self._path = None if path is None else str(path)
        self._folder = None if path is None else SonoraFolder(path)

    save_directory = save_path

    async def _run(self) -> None:
        while self._core.running:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), self._interval)
            except TimeoutError:
                await self._tick()

    async def _tick(self) -> None:
        try:
            condition = self.auto_save_condition
            if condition is not None and not condition():
                return
            snapshot = await threads.run(self._takes, None, True)
            if self._folder is not None:
                await threads.run(self._folder.save, snapshot._file())
            await event_manager.told(EventType.SNAPSHOT_CREATED, snapshot=snapshot, user=None)
            await event_manager.told(EventType.SNAPSHOT_AUTO_SAVED, snapshot=snapshot, user=None)
            await self._clean_up(None)
        except Exception:
            if self._core.running:
                logger.exception("guild %s was not saved by the timer", self._guild_id)

    async def clean_up(self, *, user: User | None = None) -> None:
        """Deletes the oldest of those that a timer took, so that `max_snapshots` are left."""
        await self._clean_up(await self._permit("delete", user))

    async def _clean_up(self, user: User | None) -> None:
        keep = max(0, self.max_snapshots)
        deleted = await threads.run(self._core.prune, self._guild_id, keep)
        if self._folder is not None:
            files = await threads.run(self._folder.prune, self._guild_id, keep)
            deleted = max(deleted, files)
        if deleted:
            await event_manager.told(
                EventType.SNAPSHOT_AUTO_CLEANUP,
                deleted_count=deleted,
                guild_id=self._guild_id,
                user=user,
            )


def _time(time: datetime | timedelta | None) -> float | None:
    if isinstance(time, timedelta):
        return (datetime.now(UTC) - time).timestamp()
    return None if time is None else time.timestamp()
