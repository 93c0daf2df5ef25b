"""A bot's nodes and players."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from os import PathLike
from typing import Any, NamedTuple, NotRequired, TypedDict, final

from .._dalsegno import SonoraCore, SonoraPlayer, sonora_leave
from .._threads import threads
from ._text import read
from .access import User
from .backup import Backup
from .errors import InvalidInputError, NotAllRestoredError, NotFoundError
from .events import EventType, event_manager
from .player import Loaded, Player
from .snapshot import Snapshot
from .track import Track
from .voice import Plugged, Plugin, Provider, Provides, Voice

__all__ = ["NodeConfig", "NodeState", "Players", "SonoraClient", "clients"]

AT_ONCE = 8
"""How many players of a backup are put back at once."""

STORE = ".sonora_snapshots"
"""The store where none is named: `store.db` in this folder of the working directory."""


class NodeConfig(TypedDict):
    """Where a Lavalink node is. Its password is given, or read from a file's first line or an environment variable."""

    host: NotRequired[str]
    """`127.0.0.1` unless said."""
    port: NotRequired[int]
    """2333 unless said."""
    password: NotRequired[str]
    password_file: NotRequired[str]
    password_env: NotRequired[str]
    name: NotRequired[str]
    """Snapshots say it, so it should stay the same; `HOST:PORT` unless said."""
    secure: NotRequired[bool]
    """Whether it is spoken to through TLS."""


class NodeState(NamedTuple):
    """A node, as it is now."""

    name: str
    up: bool
    """Whether its socket is open."""
    session: str | None
    """The session that its players are of."""


@final
class Players(Mapping[int, Player]):
    """The players of a client, by guild. Whoever goes through them minds none that comes or goes meanwhile."""

    def __init__(self, client: SonoraClient) -> None:
        self._client = client

    def __getitem__(self, guild_id: int) -> Player:
        player = self._client._player(guild_id)
        if player is None:
            raise KeyError(guild_id)
        return player

    def __iter__(self) -> Iterator[int]:
        return iter(self._client._all())

    def __len__(self) -> int:
        return len(self._client._all())

    def keys(self) -> KeysView[int]:
        """The guilds, as of now."""
        return self._client._all().keys()

    def values(self) -> ValuesView[Player]:
        """The players, as of now."""
        return self._client._all().values()

    def items(self) -> ItemsView[int, Player]:
        """Both, as of now."""
        return self._client._all().items()

    def __repr__(self) -> str:
        return f"Players({list(self)})"


@final
class SonoraClient:
    """A bot's Lavalink nodes, and its players, which are kept in a store as they play.

    `store` is the store's file or folder: `.sonora_snapshots` in the working directory unless said. A bot that was
    killed finds its players again at its next start, on the node that went on with them or on any other; see `recovery`.
    """

    def __init__(
        self,
        lavalink_nodes: Iterable[NodeConfig],
        *,
        user_id: int = 1,
        store: str | PathLike[str] = STORE,
        key: str | None = None,
        key_file: str | PathLike[str] | None = None,
        token: str | None = None,
        token_file: str | PathLike[str] | None = None,
        app: str = "sonora",
        voice: Voice | None = None,
        provider: Provider | None = None,
        plugins: Iterable[Plugin] = (),
        save_every: float = 30.0,
        resume: float = 60.0,
        fail_over: float = 10.0,
        settle: float = 1.0,
    ) -> None:
        """Nothing is connected yet: see `start`.

        `user_id` is the bot's id on Discord, without which nodes connect, and nobody hears them; sessions of the store are called `APP/GUILD`. `key`, `key_file`, `token` and `token_file` open
        the store and say who uses it, as in `dalsegno.open`; the environment is asked as there. `voice` joins channels after
        a restart, `provider` finds tracks for autoplay. In seconds: `save_every` is how often a player is saved beside
        every change of what it plays; `resume`, for how long nodes keep players when the bot is gone; `fail_over`, for
        how long a node may be gone before its players go to another one; `settle`, how long after it was told a node is
        asked whether it holds it.
        """
        self._asked: dict[str, Any] = {
            "nodes": [_node(node) for node in lavalink_nodes],
            "user_id": user_id,
            "stored": {
                "path": store,
                "key": key,
                "key_file": key_file,
                "token": token,
                "token_file": token_file,
            },
            "app": app,
            "every": save_every,
            "resume": resume,
            "fail_over": fail_over,
            "settle": settle,
            "voice": voice,
            "provider": None if provider is None else Provides(provider),
            "plugins": [(it.name, it.version, Plugged(it)) for it in plugins],
        }
        self._core: SonoraCore | None = None
        self._known: dict[int, Player] = {}
        self._starting = asyncio.Lock()
        self.players = Players(self)
        """The players, by guild."""

    # Its life.

    async def start(self) -> None:
        """Connects to the nodes, brings back the players that were left, and keeps all of them from now on.

        Of several nodes, some may be away. Raises `UnreachableError` where none answers, `AccessDeniedError` for a wrong
        password or where the store denies it, `WrongKeyError` where the key does not open the store, `LockedError` where
        another program keeps these players. Twice is harmless.
        """
        async with self._starting:
            if self.is_running:
                return
            asked = {**self._asked, "listener": functools.partial(_hear, weakref.ref(self))}
            self._core = await SonoraCore.start(asked)
            self._known.clear()
            event_manager.use_loop(asyncio.get_running_loop())
            clients.add(self)

    async def close(self) -> None:
        """Saves all players for the last time, and lets go of the nodes, where they play on for `resume` seconds: the
        next start finds them there. Twice is harmless."""
        core, self._core = self._core, None
        clients.discard(self)
        for player in self._known.values():
            player.snapshots.auto_save = False
        self._known.clear()
        if core is not None and core.running:
            await core.stop()

    async def __aenter__(self) -> SonoraClient:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not closed."""
        return self._core is not None and self._core.running

    def _running(self) -> SonoraCore:
        if self._core is None:
            raise InvalidInputError("the client was not started; await start() first")
        return self._core

    @property
    def recovery(self) -> dict[str, Any]:
        """What the last start found: `sessions` that were left open, what became of `players`, and what was
        `passed_over`, and why."""
        return self._running().recovery

    @property
    def nodes(self) -> list[NodeState]:
        """Its nodes, as they are now."""
        return [NodeState(*node) for node in self._running().nodes]

    # Its players.

    async def get_player(self, guild_id: int) -> Player:
        """The player of a guild; where there is none, it is made, and kept from now on. Starts the client if need be.

        Raises `LockedError` where another program has the session of that guild.
        """
        await self.start()
        guild, core = int(guild_id), self._running()
        before = self._player(guild)
        if before is not None:
            return before
        made = self._know(core, await core.get_player(guild))
        await event_manager.told(EventType.PLAYER_CREATE, guild_id=guild, player=made)
        return made

    def _know(self, core: SonoraCore, found: SonoraPlayer) -> Player:
        guild = found.guild_id
        known = self._known.get(guild)
        if known is None or known._ended:
            known = self._known[guild] = Player(core, found, self)
        return known

    def _player(self, guild_id: int) -> Player | None:
        core = self._core
        if core is None or not core.running:
            return None
        found = core.player(guild_id)
        return None if found is None else self._know(core, found)

    def _all(self) -> dict[int, Player]:
        core = self._core
        if core is None or not core.running:
            return {}
        # One may be gone before it is looked at.
        found = ((guild, self._player(guild)) for guild in core.guilds())
        return {guild: player for guild, player in found if player is not None}

    async def save(self, guild_id: int | None = None) -> None:
        """Saves all players, or one, and returns when that is durable."""
        await self._running().save(None if guild_id is None else int(guild_id))

    # Backups of them.

    async def create_full_backup(self, *, user: User | None = None) -> Backup:
        """Takes a snapshot of every player, one after the other, and gives all of them as one backup.

        Where `user`, who is as in `Player.create_snapshot`, may not take one of them, nothing is taken. Older snapshots are
        not in it: for the whole store there is `Engine.back_up`. Starts the client if need be.
        """
        await self.start()
        players, who = list(self.players.values()), user
        for player in players:
            who = await player.snapshots._permit("save", user)
        taken: list[Snapshot] = []
        for player in players:
            try:
                taken.append(await threads.run(player._take, None, behalf=who))
            except NotFoundError:
                # It may be gone meanwhile.
                if player.guild_id in self.players:
                    raise
        made = await threads.run(Backup._full, taken)
        told = (
            event_manager.told(EventType.SNAPSHOT_CREATED, snapshot=snapshot, user=who)
            for snapshot in taken
        )
        await asyncio.gather(*told)
        return made

    async def restore_from_backup(
        self,
        backup: Backup,
        *,
        base: Snapshot | Backup | Iterable[Snapshot | Backup] = (),
        user: User | None = None,
    ) -> dict[int, Loaded]:
        """Makes the players of a backup what they were, as `Player.load_snapshot` does, and answers what each is then.

        Players of other guilds stay as they are. One that is not incremental needs nothing else. Others need their base: it is
        looked for in the store, and among what is given as `base`, snapshots or backups. Raises `NotFoundError` where it is
        nowhere, `ConflictError` where something else was given: then nothing was done. Where a player cannot be put back
        the others are, and then `NotAllRestoredError` says which ones were and which not. `user` is as in `Player.load_snapshot`.
        """
        await self.start()
        core = self._running()
        bases = [base] if isinstance(base, Snapshot | Backup) else list(base)
        snapshots = await threads.run(backup._whole, bases, core.content)
        restored: dict[int, Loaded] = {}
        failed: dict[int, Exception] = {}
        turns = asyncio.Semaphore(AT_ONCE)

        async def put_back(snapshot: Snapshot) -> None:
            async with turns:
                try:
                    player = await self.get_player(snapshot.guild_id)
                    restored[snapshot.guild_id] = await player.load_snapshot(snapshot, user=user)
                except Exception as error:  # noqa: BLE001 - one holds up no other, and all are told of
                    failed[snapshot.guild_id] = error

        await asyncio.gather(*map(put_back, snapshots))
        if failed:
            why = "; ".join(f"guild {guild}: {error}" for guild, error in failed.items())
            raise NotAllRestoredError(
                f"{len(failed)} of {len(snapshots)} players of {backup.name} were not restored: {why}",
                restored,
                failed,
            ) from next(iter(failed.values()))
        return restored

    # What they play.

    async def load_tracks(self, identifier: str) -> list[Track]:
        """What a node finds: by an address, or by words after `ytsearch:` or the like. Nothing found is an empty list."""
        await self.start()
        try:
            text: bytes = await self._running().load_tracks(identifier)
        except NotFoundError:
            return []
        return [Track._of(stored) for stored in read(text)]

    async def load_track(self, identifier: str) -> Track | None:
        """The first that `load_tracks` finds."""
        found = await self.load_tracks(identifier)
        return found[0] if found else None

    def _hear(self, word: str, guild: int | None, said: dict[str, Any]) -> None:
        try:
            event_type = EventType(word)
        except ValueError:
            return
        data = dict(said)
        if "track" in data:
            data["track"] = Track._of(data["track"])
        if guild is not None:
            data.update(guild_id=guild, player=self._player(guild))
        event_manager.tell(event_type, **data)

    def __repr__(self) -> str:
        return f"SonoraClient({', '.join(node['name'] for node in self._asked['nodes'])})"


clients: weakref.WeakSet[SonoraClient] = weakref.WeakSet()
"""Those that run."""


def _hear(client: Any, word: str, guild: int | None, said: dict[str, Any]) -> None:
    # It is a weak reference: whoever is told does not keep the client.
    heard: SonoraClient | None = client()
    if heard is not None:
        heard._hear(word, guild, said)


def at_exit() -> None:
    """At the end of the program: what was left running is saved for the last time."""
    for client in tuple(clients):
        if client._core is not None:
            # The next start recovers what could not be saved.
            with contextlib.suppress(Exception):
                client._core.finish()
    sonora_leave()


def _node(given: Mapping[str, Any]) -> dict[str, Any]:
    node = dict(given)
    host, port = node.pop("host", "127.0.0.1"), node.pop("port", 2333)
    read_as: dict[str, Any] = {
        "name": node.pop("name", f"{host}:{port}"),
        "host": host,
        "port": port,
        "secure": node.pop("secure", False),
        "password": node.pop("password", None),
        "password_file": node.pop("password_file", None),
        "password_env": node.pop("password_env", None),
    }
    if node:
        known = ", ".join(read_as)
        raise InvalidInputError(f"a node has no {', '.join(map(repr, node))}; it has {known}")
    return read_as
