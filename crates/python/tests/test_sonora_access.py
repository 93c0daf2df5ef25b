"""Who may take, load and delete the snapshots of a player."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bots import awaited, bot, names, playing, until
from scripted import Node

from dalsegno.sonora import (
    Event,
    EventType,
    PermissionDeniedError,
    Player,
    SecurityError,
    Snapshot,
    SnapshotManager,
    SonoraClient,
    acting_as,
    event_manager,
    snapshot_manager,
)
from dalsegno.sonora.snapshots import Snapshots

Verb = Callable[[Player, Snapshot, dict[str, Any]], object]

GUARDED: dict[str, Verb] = {
    "Player.create_snapshot": lambda it, of, who: it.create_snapshot("new", **who),
    "Player.create_encrypted_snapshot": lambda it, of, who: it.create_encrypted_snapshot(
        "key", **who
    ),
    "Player.load_snapshot": lambda it, of, who: it.load_snapshot(of, **who),
    "Player.load_queue_snapshot": lambda it, of, who: it.load_queue_snapshot(of, **who),
    "Player.load_filters_snapshot": lambda it, of, who: it.load_filters_snapshot(of, **who),
    "Player.create_incremental_backup": lambda it, of, who: it.create_incremental_backup(**who),
    "Player.create_differential_backup": lambda it, of, who: it.create_differential_backup(
        of, **who
    ),
    "SonoraClient.create_full_backup": lambda it, of, who: client_of(it).create_full_backup(**who),
    "Snapshots.clean_up": lambda it, of, who: it.snapshots.clean_up(**who),
    "SnapshotManager.create_snapshot": lambda it, of, who: snapshot_manager.create_snapshot(
        it, **who
    ),
    "SnapshotManager.restore_snapshot": lambda it, of, who: snapshot_manager.restore_snapshot(
        of, it, **who
    ),
}
"""What takes, loads and deletes snapshots of a player."""

FREE = {
    # Each of its players asks.
    "SonoraClient.restore_from_backup",
    "Snapshots.list_snapshots",
    # Of files, which nobody can tell a player of.
    *(f"SnapshotManager.{verb}_snapshot" for verb in ("save", "load")),
    *("SnapshotManager.from_json", "SnapshotManager.list_snapshots"),
    *(f"SnapshotManager.{verb}_auto_snapshot" for verb in ("start", "stop")),
    # Of a snapshot that somebody has.
    *(f"Snapshot.{verb}" for verb in ("save_to_file", "load_from_file")),
    *(f"Snapshot.{verb}" for verb in ("save_encrypted", "load_encrypted")),
    *(f"Snapshot.{verb}" for verb in ("verify_integrity", "repair")),
    *(f"Snapshot.{verb}" for verb in ("to_dict", "to_json", "from_dict", "from_json")),
}
"""What everybody may."""


def client_of(player: Player) -> SonoraClient:
    client = player._client
    assert isinstance(client, SonoraClient)
    return client


async def done(answer: object) -> None:
    if isinstance(answer, Awaitable):
        await answer


class Member:
    """Somebody who chose a name."""

    def __str__(self) -> str:
        return "admin"


def users(to: list[object]) -> Callable[[Event], None]:
    """A handler that puts down who acted."""

    def heard(event: Event) -> None:
        to.append(event.data["user"])

    return heard


def test_every_verb_is_guarded_or_said_to_be_free() -> None:
    verbs: set[str] = set()
    for of in (Player, SonoraClient, Snapshots, SnapshotManager, Snapshot):
        for name, thing in vars(of).items():
            verb = inspect.isfunction(thing) or isinstance(thing, classmethod)
            meant = of not in (Player, SonoraClient) or "snapshot" in name or "backup" in name
            if verb and not name.startswith("_") and meant:
                verbs.add(f"{of.__name__}.{name}")
    assert verbs == GUARDED.keys() | FREE


@awaited
async def test_whoever_is_not_allowed_changes_and_reads_nothing(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot(node) as made:
        told: list[Event] = []
        for event_type in EventType:
            event_manager.on(event_type, told.append)
        player = await playing(made)
        for _ in range(3):
            player._take(None, True)  # as a timer does
        player.snapshots.max_snapshots = 1
        snapshot = await player.create_snapshot("good")
        # Whoever verified it would notice.
        snapshot.checksum = "0" * 64
        await player.filters.preset("nightcore")
        player.volume = 61
        # The node says in its own time that the track began.
        await until(lambda: any(event.type is EventType.TRACK_START for event in told))
        told.clear()
        player.snapshots.require_permission = True
        player.snapshots.allowed_users = ["admin", 123]

        async def state() -> object:
            listed = [it._id for it in await player.snapshots.list_snapshots()]
            there = (names(player), list(player.filters), player.volume, node.heard(1))
            return listed, there, dict(node.player(1)["filters"])

        before = await state()
        strangers: list[Any] = ["stranger", 12, "1", "ADMIN", "", True, Member()]
        for name, verb in GUARDED.items():
            for stranger in strangers:
                with pytest.raises(PermissionDeniedError) as raised:
                    await done(verb(player, snapshot, {"user": stranger}))
                if stranger in ("stranger", 12):
                    assert f"user {stranger} may not" in str(raised.value), name
                    assert "allowed_users" in str(raised.value)
                with acting_as(stranger), pytest.raises(PermissionDeniedError):
                    await done(verb(player, snapshot, {}))
            with pytest.raises(SecurityError, match="somebody unknown .* acting_as"):
                await done(verb(player, snapshot, {}))
            # What is said at the call counts.
            with acting_as("admin"), pytest.raises(PermissionError):
                await done(verb(player, snapshot, {"user": "stranger"}))
        assert await state() == before and not told
        denied = [it for it in caplog.records if it.levelno == logging.WARNING]
        assert len(denied) == len(GUARDED) * (2 * len(strangers) + 2)


@awaited
async def test_whoever_is_allowed_is_told_of(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot("good")
        player.snapshots.require_permission = True
        player.snapshots.allowed_users = ["admin", 123]
        player.snapshots.max_snapshots = 0
        told: list[object] = []
        for event_type in EventType:
            if event_type.name.startswith("SNAPSHOT"):
                event_manager.on(event_type, users(told))
        for verb in GUARDED.values():
            for user in ("admin", 123, "123"):
                player._take(None, True)
                await done(verb(player, snapshot, {"user": user}))
                with acting_as(user):
                    player._take(None, True)
                    await done(verb(player, snapshot, {}))
        assert told == [user for _ in GUARDED for user in ("admin", 123, "123") for _ in range(2)]

        # A single id is no list of letters.
        player.snapshots.allowed_users = "123"
        with pytest.raises(PermissionDeniedError):
            await player.create_snapshot(user="1")
        player.snapshots.allowed_users.append(1)
        await player.create_snapshot(user="1")
        nobody: Any = [Member()]
        with pytest.raises(ValueError, match="not a Member"):
            player.snapshots.allowed_users = nobody
        player.snapshots.allowed_users = []
        with pytest.raises(PermissionDeniedError):
            await player.create_snapshot(user="admin")
        player.snapshots.require_permission = False
        await player.create_snapshot(user="stranger")


@awaited
async def test_tasks_act_as_those_who_began_them(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        player.snapshots.require_permission = True
        player.snapshots.allowed_users = [1]

        async def take(user: int) -> bool:
            with acting_as(user):
                await asyncio.sleep(0)
                try:
                    await player.create_snapshot()
                except PermissionDeniedError:
                    return False
                return True

        assert await asyncio.gather(*map(take, (1, 2, 1, 3))) == [True, False, True, False]
        with pytest.raises(PermissionDeniedError, match="unknown"):
            await player.create_snapshot()


@awaited
async def test_timers_need_no_permission(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        player.snapshots.require_permission = True
        player.snapshots.max_snapshots = 1
        told: dict[EventType, list[object]] = {}
        for event_type in (EventType.SNAPSHOT_AUTO_SAVED, EventType.SNAPSHOT_AUTO_CLEANUP):
            heard = told.setdefault(event_type, [])
            event_manager.on(event_type, users(heard))
        with acting_as("stranger"):
            player.snapshots.auto_save_interval = 0.01
            player.snapshots.auto_save = True
        await until(lambda: all(len(heard) >= 2 for heard in told.values()))
        player.snapshots.auto_save = False

        for heard in told.values():
            heard.clear()
        snapshot_manager.auto_snapshot_interval = 0.01
        snapshot_manager.max_snapshots_per_guild = 1
        await snapshot_manager.start_auto_snapshot()
        await until(lambda: all(len(heard) >= 2 for heard in told.values()))
        await snapshot_manager.stop_auto_snapshot()
        assert {user for heard in told.values() for user in heard} == {None}
