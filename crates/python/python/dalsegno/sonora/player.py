"""A player of a guild."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict, final

from .._dalsegno import SonoraCore, SonoraPlayer
from .._threads import threads
from ._text import write
from .access import User, id_of
from .autoplay import Autoplay
from .backup import Backup
from .errors import DamagedError, InvalidInputError, SonoraError
from .events import EventType, event_manager
from .filters import Filters
from .queue import Queue
from .snapshot import Snapshot
from .snapshots import Snapshots
from .track import Track

__all__ = ["Loaded", "Player"]

logger = logging.getLogger("dalsegno.sonora")


class Loaded(TypedDict):
    """What a player is after something was loaded."""

    guild: int
    components: list[str]
    """What was asked for."""
    current: str | None
    """The title of the track that plays."""
    position: int
    """Milliseconds."""
    upcoming: int
    history: int
    connected: bool
    """Whether the node has its voice connection: without one, nobody hears it."""


@final
class Player:
    """A player of a guild: made by `SonoraClient.get_player`.

    Awaited calls return once the node has done it. A call that is cancelled is done wholly or not at all. What is
    assigned, such as `volume`, is done when the assignment is over, and blocks until then.
    """

    def __init__(self, core: SonoraCore, player: SonoraPlayer, client: object) -> None:
        self._core = core
        # Whoever has a player needs its client, too.
        self._client = client
        self._player = player
        self._ended = False
        self.queue = Queue(player)
        """What it plays, will play, and has played."""
        self.filters = Filters(player)
        """What is done to its sound."""
        self.autoplay = Autoplay(player)
        """What plays when the queue is over."""
        self.snapshots = Snapshots(core, player.guild_id, self._take)
        """What was kept of it, and how it is saved by a timer."""

    # What it is.

    @property
    def guild_id(self) -> int:
        """Its guild."""
        return self._player.guild_id

    @property
    def current(self) -> Track | None:
        """What plays now."""
        return self.queue.current

    @property
    def position(self) -> int:
        """Where the current track is, in milliseconds."""
        return self._player.position

    @property
    def volume(self) -> int:
        """From 0 to 1000; 100 is as loud as the track is. An assignment is over once the node has it."""
        return self._player.volume

    @volume.setter
    def volume(self, volume: int) -> None:
        self._player.set_volume(_volume(volume))

    @property
    def paused(self) -> bool:
        """Whether it is paused. An assignment is over once the node has it."""
        return self._player.paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._player.set_paused(bool(paused))

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self._player.paused

    @property
    def is_playing(self) -> bool:
        """Whether a track plays, and is not paused."""
        return self._player.current is not None and not self._player.paused

    @property
    def connected(self) -> bool:
        """Whether its node has its voice connection."""
        return self._player.connected

    @property
    def channel_id(self) -> int | None:
        """The voice channel that it is in, or was."""
        return self._player.channel_id

    @property
    def node(self) -> str | None:
        """The name of the node that it is on."""
        return self._player.whereabouts[0]

    @property
    def session_id(self) -> str | None:
        """The session of that node."""
        return self._player.whereabouts[1]

    @property
    def settings(self) -> dict[str, Any]:
        """What the bot keeps of the guild; assign it as a whole."""
        return self._player.settings

    @settings.setter
    def settings(self, settings: Mapping[str, Any]) -> None:
        self._player.set_settings(write(dict(settings), "the settings"))

    # What it does.

    async def connect(self, channel_id: int, session_id: str, token: str, endpoint: str) -> None:
        """Connects to a voice channel, by what Discord's gateway gave for it. The token is never stored."""
        await self._player.connect(int(channel_id), session_id, token, endpoint)

    async def join(self, channel_id: int) -> None:
        """Joins a voice channel through the client's `voice`."""
        await self._player.join(int(channel_id))

    async def play(self, track: Track | None = None) -> None:
        """Plays a track now; the one that played goes to the history. Without one, goes on, or plays the next."""
        if track is not None:
            await self._player.play(track._write())
        elif self._player.current is not None:
            await self._player.pause(False)
        else:
            await self._player.skip()

    async def pause(self) -> None:
        """Pauses."""
        await self._player.pause(True)

    async def resume(self) -> None:
        """Plays on."""
        await self._player.pause(False)

    async def stop(self) -> None:
        """Stops: nothing plays, and the queue stays."""
        await self._player.stop()

    async def skip(self) -> Track | None:
        """Goes on to the next track, and answers which that is."""
        await self._player.skip()
        return self.current

    async def skip_to(self, position: int) -> Track | None:
        """Goes on to the upcoming track at `position`, counted from 0."""
        await self._player.skip_to(position)
        return self.current

    async def back(self) -> Track | None:
        """Goes back to the track before."""
        await self._player.back()
        return self.current

    async def seek(self, position: int) -> None:
        """Goes on with the current track from `position`, in milliseconds."""
        await self._player.seek(position)

    async def set_volume(self, volume: int) -> None:
        """Sets the volume without blocking the loop."""
        await self._player.volume_to(_volume(volume))

    async def destroy(self) -> None:
        """Ends it on its node and here: it is not brought back any more. Its snapshots stay."""
        await self._core.destroy(self.guild_id)
        self._ended = True
        self.snapshots.auto_save = False
        await event_manager.told(EventType.PLAYER_DESTROY, guild_id=self.guild_id, player=self)

    # Snapshots.

    async def create_snapshot(
        self, name: str | None = None, *, user: User | None = None
    ) -> Snapshot:
        """Takes a snapshot, and keeps it in the store.

        `user` is the id of who does it, also within `acting_as`: the event and the audit log have it, and it must be allowed to where
        `snapshots.require_permission` says so, here and in all that takes or loads snapshots: else `PermissionDeniedError`.
        """
        who = await self.snapshots._permit("save", user)
        snapshot = await threads.run(self._take, name, behalf=who)
        await event_manager.told(EventType.SNAPSHOT_CREATED, snapshot=snapshot, user=who)
        return snapshot

    async def create_encrypted_snapshot(
        self, encryption_key: str, name: str | None = None, *, user: User | None = None
    ) -> Snapshot:
        """As `create_snapshot`; `save_encrypted` then seals it with this key."""
        if not encryption_key:
            raise InvalidInputError("an empty key seals nothing; give one")
        snapshot = await self.create_snapshot(name, user=user)
        snapshot._key = encryption_key
        return snapshot

    async def load_snapshot(
        self,
        snapshot: Snapshot,
        components: Iterable[str] | None = None,
        *,
        user: User | None = None,
    ) -> Loaded:
        """Makes it what the snapshot says, on its node first, which is read back until it holds; all, or nothing.

        `components` are of `queue`, `current`, `filters`, `autoplay`, `settings`, and `player` for current and
        settings; all, where none is given. A snapshot of another guild is taken as it is.
        """
        who = await self.snapshots._permit("restore", user)
        words = [components] if isinstance(components, str) else list(components or ())
        if self.snapshots.enable_integrity_check and not await snapshot.verify_integrity():
            raise DamagedError(
                f"the snapshot {snapshot.name!r} is not what was taken; load another one"
            )
        data = write(snapshot.data, "the snapshot's data")
        loaded: Loaded
        of = snapshot._id if snapshot._core is self._core else None
        loaded, not_told = await self._core.load(self._player, data, words, id_of(who), of)
        if not_told is not None:
            logger.error(
                "guild %s: the audit log could not be told of a restore: %s",
                self.guild_id,
                not_told,
            )
        await event_manager.told(
            EventType.SNAPSHOT_RESTORED, snapshot=snapshot, user=who, player=self
        )
        return loaded

    async def load_queue_snapshot(self, snapshot: Snapshot, *, user: User | None = None) -> Loaded:
        """The upcoming tracks and the history of a snapshot; what plays, plays on."""
        return await self.load_snapshot(snapshot, ["queue"], user=user)

    async def load_filters_snapshot(
        self, snapshot: Snapshot, *, user: User | None = None
    ) -> Loaded:
        """The filters of a snapshot."""
        return await self.load_snapshot(snapshot, ["filters"], user=user)

    async def create_incremental_backup(
        self, since_last_backup: bool = True, *, user: User | None = None
    ) -> Backup:
        """Takes a snapshot, and gives what changed since the last backup of this player, also one of the whole client, and
        before a restart; everything, where there was none or `since_last_backup` is False: its `kind` says so.

        `user` is as in `create_snapshot`. To be restored it needs its `base`, which stays in the store with all snapshots.
        """
        who = await self.snapshots._permit("save", user)
        last = await threads.run(self._last_backup) if since_last_backup else None
        return await self._back_up("incremental", last, who)

    async def create_differential_backup(
        self, base_snapshot: Snapshot, *, user: User | None = None
    ) -> Backup:
        """Takes a snapshot, and gives what changed since another one of this player: the base, which it names and needs.

        `user` is as in `create_snapshot`. Raises `SecurityError` where the base is damaged.
        """
        who = await self.snapshots._permit("save", user)
        if base_snapshot.guild_id != self.guild_id:
            raise InvalidInputError(
                f"the snapshot {base_snapshot.name!r} is of guild {base_snapshot.guild_id}, and not of {self.guild_id}"
            )
        if not await base_snapshot.verify_integrity():
            raise DamagedError(
                f"the snapshot {base_snapshot.name!r} is not what was taken; give another base"
            )
        return await self._back_up("differential", base_snapshot, who)

    async def _back_up(
        self,
        kind: Literal["incremental", "differential"],
        base: Snapshot | None,
        who: User | None,
    ) -> Backup:
        snapshot = await threads.run(self._take, None, behalf=who)
        if base is None:
            made = await threads.run(Backup._full, [snapshot])
        else:
            made = await threads.run(Backup._since, kind, base, snapshot)
        await event_manager.told(EventType.SNAPSHOT_CREATED, snapshot=snapshot, user=who)
        return made

    def _last_backup(self) -> Snapshot | None:
        """The newest snapshot that a backup took, and that can be read."""
        records, _ = self._core.snapshots(self.guild_id)
        for record in reversed(records):
            if "backup" in record["metadata"]:
                last = Snapshot._of_store(self._core, self.guild_id, record)
                if last._is_intact():
                    return last
        return None

    async def reset_to_defaults(self) -> Loaded:
        """Stopped, lists empty, volume 100, unpaused, no filters, no loop. What was is saved before: it can be undone."""
        # Where even that fails, it is the last resort all the same.
        with contextlib.suppress(SonoraError):
            await self._core.save(self.guild_id)
        loaded: Loaded = await self._player.reset()
        return loaded

    def _take(
        self, name: str | None, by_timer: bool = False, behalf: User | None = None
    ) -> Snapshot:
        record, text = self._core.take_snapshot(self.guild_id, name, by_timer, id_of(behalf))
        return Snapshot._of_store(self._core, self.guild_id, record, text)

    def __repr__(self) -> str:
        return f"Player({self.guild_id})"


def _volume(volume: int) -> int:
    if isinstance(volume, bool) or not isinstance(volume, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"a volume is a whole number, not {volume!r}")
    if not 0 <= volume <= 1000:
        raise InvalidInputError(f"a volume of {volume}; it is from 0 to 1000")
    return volume
