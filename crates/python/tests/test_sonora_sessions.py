"""What the document on sessions shows, example by example, with what each should achieve."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, names, playing, until
from scripted import Node

from dalsegno.sonora import (
    Event,
    EventType,
    Player,
    Snapshot,
    SonoraClient,
    SonoraError,
    Track,
    event_manager,
    snapshot_manager,
)


@awaited
async def test_creating_and_restoring(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, guild=123)
        player.volume = 75
        snapshot = snapshot_manager.create_snapshot(player)
        path = snapshot_manager.save_snapshot(snapshot, "guild_123_backup.json")
        assert path == "guild_123_backup.json" and Path(path).is_file()

        await player.reset_to_defaults()
        snapshot = snapshot_manager.load_snapshot("guild_123_backup.json")
        await snapshot_manager.restore_snapshot(snapshot, player)
        assert (len(player.queue.upcoming), player.volume) == (4, 75)
        assert node.player(123)["identifier"] == "track-0"


@awaited
async def test_the_service(node: Node) -> None:
    saved: list[int] = []

    @event_manager.on(EventType.SNAPSHOT_AUTO_SAVED)
    def on_auto_save(event: Event) -> None:
        saved.append(event.data["snapshot"].guild_id)

    async with bot(node) as made, bot(node, store="other.db") as other:
        await playing(made, guild=1)
        await made.get_player(2)
        await playing(other, guild=3)
        assert snapshot_manager.auto_snapshot_interval == 300
        await snapshot_manager.start_auto_snapshot()
        await snapshot_manager.start_auto_snapshot()
        snapshot_manager.max_snapshots_per_guild = 2
        await asyncio.sleep(0.01)
        # It applies while it runs.
        snapshot_manager.auto_snapshot_interval = 0.02
        await until(lambda: saved.count(1) >= 4 and saved.count(3) >= 4)
        await snapshot_manager.stop_auto_snapshot()
        await snapshot_manager.stop_auto_snapshot()
        assert set(saved) == {1, 3}, "whoever plays, of every client"
        assert 2 <= len(snapshot_manager.list_snapshots(1)) <= 3
        count = len(saved)
        await asyncio.sleep(0.1)
        assert len(saved) == count


@awaited
async def test_a_schedule_of_its_own(node: Node) -> None:
    async with bot(node) as made:
        await playing(made, guild=1)
        await playing(made, guild=2)
        for _ in range(2):
            for guild_id, player in made.players.items():
                snapshot = snapshot_manager.create_snapshot(player)
                path = snapshot_manager.save_snapshot(snapshot)
                assert Path(path).name.startswith(f"guild_{guild_id}_{int(snapshot.timestamp)}")
        assert len(snapshot_manager.list_snapshots()) == 4, "unique even twice a second"
        assert len(snapshot_manager.list_snapshots(2)) == 2


@awaited
async def test_the_documented_shapes(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, upcoming=2)
        player.volume = 75
        await player.seek(45_000)
        await player.skip()
        await player.filters.set(
            "equalizer", [{"band": 0, "gain": 0.5}, {"band": 14, "gain": -0.2}]
        )
        await player.filters.set("timescale", {"speed": 1.2, "pitch": 1.1})
        data = (await player.create_snapshot()).data
        state, queue = data["player"], data["queue"]
        assert (state["volume"], state["paused"], state["connected"]) == (75, False, True)
        assert type(state["position"]) is int and state["session_id"] == player.session_id
        assert "token" not in str(data)
        assert queue["current"]["title"] == "Title of track-1"
        assert queue["upcoming"][0]["identifier"] == "track-2"
        assert queue["history"][0]["author"] == "An author"
        assert all(it["track"] for it in [queue["current"], *queue["upcoming"], *queue["history"]])
        assert (queue["loop_mode"], queue["shuffle_enabled"]) == ("none", False)
        assert data["filters"] == {
            "active_filters": ["equalizer", "timescale"],
            "filter_config": {
                "equalizer": [{"band": 0, "gain": 0.5}, {"band": 14, "gain": -0.2}],
                "timescale": {"speed": 1.2, "pitch": 1.1},
            },
        }
        assert data["autoplay"] == {
            "enabled": True,
            "strategy": "similar_artist",
            "fallback_playlist": "global_fallback",
            "max_history": 50,
            "smart_shuffle": True,
        }


@awaited
async def test_restoring_piece_by_piece(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        player.volume, player.queue.loop_mode = 40, "queue"
        snapshot = await player.create_snapshot()
        player.volume, player.queue.loop_mode = 100, "none"
        await player.queue.remove(3)

        player.volume = snapshot.data.get("player", {}).get("volume", 100)
        assert node.player(1)["volume"] == 40, "the node has it when the assignment is over"

        queue = snapshot.data.get("queue", {})
        player.queue._upcoming.clear()
        player.queue._history.clear()
        assert names(player) == []
        for stored in queue.get("upcoming", []):
            track = Track(track=f"restored_{stored['identifier']}", info=stored)
            await player.queue.add(track)
        player.queue.loop_mode = queue.get("loop_mode", "none")
        assert (len(player.queue.upcoming), player.queue.loop_mode) == (4, "queue")
        # What no node can play is found again.
        await player.skip()
        assert node.player(1)["identifier"] == "track-1"


def validate(snapshot: Snapshot) -> bool:
    for field in ("player", "queue", "filters", "autoplay"):
        if field not in snapshot.data:
            raise ValueError(f"{field} is missing")
    volume, upcoming = snapshot.data["player"].get("volume"), snapshot.data["queue"].get("upcoming")
    return isinstance(volume, int) and isinstance(upcoming, list)


@awaited
async def test_validation(node: Node) -> None:
    async with bot(node) as made:
        idle = await made.get_player(1)
        snapshot_manager.save_snapshot(snapshot_manager.create_snapshot(idle), "backup.json")
        assert validate(snapshot_manager.load_snapshot("backup.json"))
    for text in ("", "{}", "[]", "{", '{"guild_id": 1}', "\ufeff{}", "nonsense"):
        Path("backup.json").write_text(text)
        with pytest.raises(ValueError, match="backup.json") as caught:
            snapshot_manager.load_snapshot("backup.json")
        assert isinstance(caught.value, SonoraError)
    with pytest.raises(FileNotFoundError) as missing:
        snapshot_manager.load_snapshot("nothing.json")
    assert isinstance(missing.value, SonoraError)


class BlueGreen:
    def __init__(self, made: SonoraClient) -> None:
        self.client = made
        self.snapshots: dict[int, Snapshot] = {}

    def prepare(self) -> None:
        for guild_id, player in self.client.players.items():
            self.snapshots[guild_id] = snapshot_manager.create_snapshot(player)

    async def rollback(self) -> None:
        for guild_id, snapshot in self.snapshots.items():
            player = await self.client.get_player(guild_id)
            await snapshot_manager.restore_snapshot(snapshot, player)


@awaited
async def test_a_deployment_that_is_rolled_back(node: Node) -> None:
    async with bot(node) as made:
        players = [await playing(made, guild=guild) for guild in (1, 2, 3)]
        deployment = BlueGreen(made)
        deployment.prepare()
        assert list(deployment.snapshots) == [1, 2, 3]
        for player in players:
            await player.reset_to_defaults()
        await deployment.rollback()
        assert [len(player.queue.upcoming) for player in players] == [4, 4, 4]
        assert [node.player(guild)["identifier"] for guild in (1, 2, 3)] == ["track-0"] * 3


@awaited
async def test_a_deployment_in_batches(node: Node) -> None:
    async with bot(node) as made:
        for guild in range(1, 6):
            await playing(made, guild=guild, upcoming=1)

        async def update(guild_id: int) -> None:
            await made.players[guild_id].reset_to_defaults()
            if guild_id == 3:
                raise RuntimeError("the new version does not start")

        guilds = list(made.players.keys())
        snapshots: dict[int, Snapshot] = {}
        for at in range(0, len(guilds), 2):
            batch = guilds[at : at + 2]
            for guild_id in batch:
                snapshots[guild_id] = snapshot_manager.create_snapshot(made.players[guild_id])
            for guild_id in batch:
                try:
                    await update(guild_id)
                except RuntimeError:
                    player = await made.get_player(guild_id)
                    await snapshot_manager.restore_snapshot(snapshots[guild_id], player)
        playing_now = [guild for guild, player in made.players.items() if player.current]
        assert playing_now == [3], "a failed guild alone is rolled back"


@awaited
async def test_what_the_folder_says(node: Node) -> None:
    async with bot(node) as made:
        for guild in (1, 22):
            player = await made.get_player(guild)
            for _ in range(guild % 7 + 1):
                snapshot_manager.save_snapshot(snapshot_manager.create_snapshot(player))
    by_guild: dict[str, int] = {}
    for file in snapshot_manager.list_snapshots():
        guild_id = file.split("_")[1]
        by_guild[guild_id] = by_guild.get(guild_id, 0) + 1
    assert by_guild == {"1": 2, "22": 2}

    folder = Path(snapshot_manager.snapshot_dir)
    old = folder / snapshot_manager.list_snapshots()[0]
    os.utime(old, (0, time.time() - 30 * 86_400))
    cleaned = 0
    for filename in os.listdir(folder):
        path = folder / filename
        if filename.endswith(".json") and time.time() - os.path.getmtime(path) > 7 * 86_400:
            path.unlink()
            cleaned += 1
    assert cleaned == 1 and len(snapshot_manager.list_snapshots()) == 3


async def safe_restore(path: str, player: Player, check: Any) -> bool:
    try:
        if not os.path.exists(path):
            raise FileNotFoundError(path)
        snapshot = snapshot_manager.load_snapshot(path)
        validate(snapshot)
        backup = f"backup_{int(time.time())}.json"
        snapshot_manager.save_snapshot(snapshot_manager.create_snapshot(player), backup)
        await snapshot_manager.restore_snapshot(snapshot, player)
        if not check(player, snapshot):
            await snapshot_manager.restore_snapshot(snapshot_manager.load_snapshot(backup), player)
            raise RuntimeError("not what was asked for")
        os.remove(backup)
        return True
    except Exception as error:
        assert str(error)
        return False


def as_asked(player: Player, snapshot: Snapshot) -> bool:
    volume = snapshot.data.get("player", {}).get("volume", 100)
    upcoming = snapshot.data.get("queue", {}).get("upcoming", [])
    return player.volume == volume and len(player.queue.upcoming) == len(upcoming)


def refuses(_: Player, __: Snapshot) -> bool:
    return False


@awaited
async def test_a_careful_restore(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        player.volume = 33
        snapshot_manager.save_snapshot(snapshot_manager.create_snapshot(player), "party.json")
        player.volume = 90
        await player.queue.clear()
        assert await safe_restore("party.json", player, as_asked)
        assert (player.volume, len(player.queue.upcoming)) == (33, 4)
        assert not list(Path().glob("backup_*")), "it was not needed"

        player.volume = 90
        assert not await safe_restore("party.json", player, refuses)
        assert player.volume == 90 and node.player(1)["volume"] == 90
        assert not await safe_restore("nothing.json", player, as_asked)
