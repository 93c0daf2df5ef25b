"""Snapshots' files in a folder, and all players of all clients saved there by a timer."""

from __future__ import annotations

import asyncio
import logging
from os import PathLike
from typing import final

from .._dalsegno import SonoraFile, SonoraFolder
from .._threads import threads
from .access import User
from .client import clients
from .errors import DamagedError, InvalidInputError
from .events import EventType, event_manager
from .player import Loaded, Player
from .snapshot import Snapshot, StrPath

__all__ = ["SnapshotManager", "snapshot_manager"]

logger = logging.getLogger("dalsegno.sonora")


@final
class SnapshotManager:
    """Snapshots' files in a folder. Its calls block; those that have to do with nodes or timers are awaited."""

    def __init__(self, snapshot_dir: StrPath = ".sonora_snapshots") -> None:
        self.snapshot_dir = str(snapshot_dir)
        """The folder; it is made when it is first saved to."""
        self.max_snapshots_per_guild = 10
        """How many files that were named by guild and time are kept of each guild."""
        self._interval = 300.0
        self._folder = SonoraFolder(self.snapshot_dir)
        self._folder_of = self.snapshot_dir
        self._task: asyncio.Task[None] | None = None
        self._changed: asyncio.Event | None = None

    def _dir(self) -> SonoraFolder:
        if self._folder_of != str(self.snapshot_dir):
            self._folder_of = str(self.snapshot_dir)
            self._folder = SonoraFolder(self._folder_of)
        return self._folder

    def create_snapshot(self, player: Player, *, user: User | None = None) -> Snapshot:
        """Takes a snapshot of a player, and keeps it in the client's store."""
        who = player.snapshots._permit_now("save", user)
        snapshot = player._take(None, behalf=who)
        event_manager.tell(EventType.SNAPSHOT_CREATED, snapshot=snapshot, user=who)
        return snapshot

    def save_snapshot(self, snapshot: Snapshot, filename: StrPath | None = None) -> str:
        """Writes a snapshot's file, and answers its path.

        Without a name it is `guild_<id>_<unix time>.json` in the folder, and the oldest of these that are too many go.
        A name is a path from the working directory, and such files stay.
        """
        file = snapshot._file()
        if filename is not None:
            file.save(filename)
            return str(filename)
        folder = self._dir()
        path = folder.save(file)
        deleted = folder.prune(snapshot.guild_id, max(1, self.max_snapshots_per_guild))
        if deleted:
            event_manager.tell(
                EventType.SNAPSHOT_AUTO_CLEANUP,
                deleted_count=deleted,
                guild_id=snapshot.guild_id,
                user=None,
            )
        return str(path)

    def load_snapshot(self, filepath: str | PathLike[str]) -> Snapshot:
        """Reads a file: a path from the working directory, or a name in the folder.

        Raises `FileNotFoundError`, `ValueError` where it is none, `SecurityError` where it is damaged.
        """
        name = str(filepath).rsplit("/", 1)[-1].rsplit(".", 1)[0]
        try:
            file: SonoraFile = self._dir().load(filepath)
        except DamagedError as error:
            torn = Snapshot._of_damage(0, name, error)
            event_manager.tell(EventType.SNAPSHOT_CORRUPTION_DETECTED, snapshot=torn, user=None)
            raise
        return Snapshot._of_file(file, name)

    async def restore_snapshot(
        self, snapshot: Snapshot, player: Player, *, user: User | None = None
    ) -> Loaded:
        """Makes a player what the snapshot says: see `Player.load_snapshot`."""
        return await player.load_snapshot(snapshot, user=user)

    def from_json(self, text: str | bytes) -> Snapshot:
        """Reads a snapshot's text."""
        return Snapshot.from_json(text)

    def list_snapshots(self, guild_id: int | None = None) -> list[str]:
        """The names of the folder's files, the newest first; of a guild, those that were named by it."""
        return self._dir().list(None if guild_id is None else int(guild_id))

    # Saving by a timer.

    @property
    def auto_snapshot_interval(self) -> float:
        """The seconds between two rounds; another one counts from when it is assigned."""
        return self._interval

    @auto_snapshot_interval.setter
    def auto_snapshot_interval(self, seconds: float) -> None:
        if not seconds > 0:
            raise InvalidInputError(f"an interval of {seconds} s; it is longer than 0")
        self._interval = seconds
        if self._changed is not None:
            self._changed.set()

    async def start_auto_snapshot(self) -> None:
        """Begins to save every player of every client that plays or will, in this loop. Returns at once."""
        loop, task = asyncio.get_running_loop(), self._task
        if task is not None and not task.done() and task.get_loop() is loop:
            return
        self._changed = asyncio.Event()
        self._task = loop.create_task(self._run(self._changed))

    async def stop_auto_snapshot(self) -> None:
        """Ends that; a round that was begun is not finished."""
        task, self._task = self._task, None
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self, changed: asyncio.Event) -> None:
        while True:
            changed.clear()
            try:
                await asyncio.wait_for(changed.wait(), self._interval)
            except TimeoutError:
                await self._round()

    async def _round(self) -> None:
        for player in [player for client in tuple(clients) for player in client.players.values()]:
            try:
                if player.current is None and player.queue.is_empty:
                    continue
                snapshot = await threads.run(player._take, None, True)
                await event_manager.told(EventType.SNAPSHOT_CREATED, snapshot=snapshot, user=None)
                await threads.run(self.save_snapshot, snapshot)
                await event_manager.told(
                    EventType.SNAPSHOT_AUTO_SAVED, snapshot=snapshot, user=None
                )
                await player.snapshots._clean_up(None)
            except Exception:
                # One player holds up no other.
                logger.exception("guild %s was not saved by the timer", player.guild_id)


snapshot_manager = SnapshotManager()
"""The one of the program, on `.sonora_snapshots` in the working directory."""
