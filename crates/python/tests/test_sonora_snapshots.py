"""What the document on snapshots shows, example by example, with what each should achieve."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bots import awaited, bot, client, names, playing, until
from scripted import Node

from dalsegno.sonora import (
    Event,
    EventType,
    Player,
    SecurityError,
    Snapshot,
    SonoraClient,
    event_manager,
)


@awaited
async def test_a_snapshot_taken_by_hand(node: Node) -> None:
    made = client(node)
    player = await made.get_player(42)
    snapshot = await player.create_snapshot()
    await snapshot.save_to_file("my_session.json")
    assert json.loads(Path("my_session.json").read_text()) == snapshot.to_dict()
    assert {"player", "queue", "filters", "autoplay"} <= snapshot.data.keys()
    await made.close()


@awaited
async def test_a_timer(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        saved: list[Event] = []
        event_manager.on(EventType.SNAPSHOT_AUTO_SAVED, saved.append)
        player.snapshots.auto_save = True
        await asyncio.sleep(0.01)
        # It applies while it runs.
        player.snapshots.auto_save_interval = 0.01
        player.snapshots.save_path = "./snapshots/"
        await until(lambda: len(saved) >= 2)
        player.snapshots.auto_save = False
        assert not player.snapshots.auto_save_enabled
        files = sorted(Path("snapshots").glob("guild_1_*.json"))
        assert len(files) >= 2
        assert (await Snapshot.load_from_file(files[0])).queue == list(player.queue.upcoming)


@awaited
async def test_loading_from_a_file(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        await player.filters.preset("nightcore")
        await player.seek(45_000)
        await (await player.create_snapshot()).save_to_file("my_session.json")
        await player.reset_to_defaults()
        snapshot = await Snapshot.load_from_file("my_session.json")

        await player.load_queue_snapshot(snapshot)
        assert len(player.queue.upcoming) == 4 and player.current is None
        assert node.player(1)["identifier"] is None
        await player.load_filters_snapshot(snapshot)
        assert node.player(1)["filters"]["timescale"]["speed"] == 1.2
        await player.load_snapshot(snapshot)
        now = node.player(1)
        assert now["identifier"] == "track-0" and now["position"] >= 45_000


@awaited
async def test_some_components_and_no_other(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        await player.filters.preset("bassboost")
        player.autoplay.strategy, player.volume = "random", 60
        snapshot = await player.create_snapshot()
        await player.reset_to_defaults()
        before = node.heard(1)

        await player.load_snapshot(snapshot, components=["queue"])
        assert names(player) == ["track-1", "track-2", "track-3", "track-4"]
        assert node.heard(1) == before and not player.filters
        player.autoplay.strategy = "smart"
        await player.load_snapshot(snapshot, components=["queue", "filters", "autoplay"])
        assert (list(player.filters), player.autoplay.strategy) == (["bassboost"], "random")
        assert (player.current, player.volume) == (None, 100)
        await player.load_snapshot(snapshot, components=["settings"])
        assert (player.current, player.volume, node.player(1)["volume"]) == (None, 60, 60)
        await player.load_snapshot(snapshot, components=["player"])
        assert player.current is not None and player.current.identifier == "track-0"

        state = (names(player), player.volume, node.heard(1))
        with pytest.raises(ValueError, match="no component"):
            await player.load_snapshot(snapshot, components=["queue", "everything"])
        assert (names(player), player.volume, node.heard(1)) == state


@awaited
async def test_listing(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, upcoming=2)
        for volume in (10, 20, 30):
            player.volume = volume
            await player.create_snapshot()
        await player.queue.clear()
        await player.create_snapshot("without a queue")

        snapshots = await player.snapshots.list_snapshots()
        assert [it.settings["volume"] for it in snapshots] == [10, 20, 30, 30]
        recent = await player.snapshots.list_snapshots(since=datetime.now() - timedelta(hours=24))
        assert len(recent) == 4
        assert await player.snapshots.list_snapshots(since=datetime.now() + timedelta(1)) == []
        assert await player.snapshots.list_snapshots(until=timedelta(hours=1)) == []
        by_size = sorted(snapshots, key=lambda s: s.size)
        assert by_size[0].name == "without a queue"
        by_date = sorted(snapshots, key=lambda s: s.created_at, reverse=True)
        assert by_date == snapshots[::-1]
        with pytest.raises(ValueError, match="sort_by"):
            await player.snapshots.list_snapshots(sort_by="colour")


@awaited
async def test_what_is_said_of_a_snapshot(node: Node) -> None:
    async with bot(node) as made:
        player = await made.get_player(123)
        before = datetime.now().astimezone()
        snapshot = await player.create_snapshot()
        assert before - timedelta(seconds=1) < snapshot.created_at <= datetime.now().astimezone()
        assert type(snapshot.size) is int and snapshot.size > 0
        assert (snapshot.version, snapshot.guild_id) == ("1.2.8", 123)
        checksum = snapshot.checksum
        snapshot.metadata = {"description": "End of year", "tags": ["party"], "quality": "high"}
        assert snapshot.checksum != checksum
        await snapshot.save_to_file("said.json")
    assert (await Snapshot.load_from_file("said.json")).metadata["tags"] == ["party"]
    async with bot(node) as made:
        player = await made.get_player(123)
        (again,) = await player.snapshots.list_snapshots()
        assert again.metadata == snapshot.metadata and await again.verify_integrity()


@awaited
async def test_a_timer_that_keeps_some(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        saved: list[str] = []
        cleaned: list[int] = []

        @event_manager.on(EventType.SNAPSHOT_AUTO_SAVED)
        async def on_auto_save(event: Event) -> None:
            saved.append(event.data["snapshot"].name)

        @event_manager.on(EventType.SNAPSHOT_AUTO_CLEANUP)
        async def on_cleanup(event: Event) -> None:
            cleaned.append(event.data["deleted_count"])

        assert callable(on_auto_save) and callable(on_cleanup)
        own = await player.create_snapshot("my own")
        player.snapshots.auto_save_interval = 0.01
        player.snapshots.max_snapshots = 2
        player.snapshots.save_directory = "./auto_snapshots/"
        player.snapshots.auto_save_enabled = True
        await until(lambda: len(cleaned) >= 2)
        player.snapshots.auto_save_enabled = False
        assert cleaned[:2] == [1, 1]
        left = [it.name for it in await player.snapshots.list_snapshots()]
        # One may have been taken, and not yet cleaned up after.
        assert left[0] == own.name and 3 <= len(left) <= 4
        assert left[-1] in saved or len(left) == 4
        assert 2 <= len(list(Path("auto_snapshots").iterdir())) <= 3


@awaited
async def test_a_timer_with_a_condition(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, upcoming=6)
        snapshots = player.snapshots
        snapshots.auto_save_condition = lambda: len(player.queue.upcoming) > 0
        assert snapshots.auto_save_condition()
        snapshots.auto_save_condition = lambda: player.current is not None
        assert snapshots.auto_save_condition()
        asked = Counter[str]()

        def should_save() -> bool:
            asked["all"] += 1
            if asked["all"] == 1:
                raise RuntimeError("not yet")
            return (
                len(player.queue.upcoming) > 5
                and player.current is not None
                and not player.is_paused
            )

        await player.pause()
        snapshots.auto_save_condition = should_save
        snapshots.auto_save_interval = 0.01
        snapshots.auto_save = True
        await until(lambda: asked["all"] > 3)
        assert await snapshots.list_snapshots() == []
        await player.resume()

        async def saved() -> bool:
            return len(await snapshots.list_snapshots()) > 0

        await until(saved)


async def emergency_restore(player: Player, preferred: Snapshot | None = None) -> str:
    """Any snapshot that can be had, or nothing at all."""
    try:
        if preferred is not None:
            await player.load_snapshot(preferred)
            return preferred.name
    except Exception as error:
        assert str(error)
    newest = await player.snapshots.list_snapshots(limit=5, sort_by="created_at", reverse=True)
    for snapshot in newest:
        try:
            await player.load_snapshot(snapshot)
            return snapshot.name
        except Exception as error:
            assert str(error)
    await player.reset_to_defaults()
    return "nothing"


@awaited
async def test_an_emergency(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        preferred = await player.create_snapshot("preferred")
        await player.create_snapshot("newer")
        assert await emergency_restore(player, preferred) == "preferred"
        torn = Snapshot(1, {"player": {"volume": "loud"}})
        assert await emergency_restore(player, torn) == "newer"
        assert len(player.queue.upcoming) == 4

        other = await made.get_player(2)
        other.volume = 70
        assert await emergency_restore(other) == "nothing"
        assert (other.volume, other.current, node.player(2)["volume"]) == (100, None, 100)


@awaited
async def test_a_snapshot_that_only_a_key_opens(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        sealed = await player.create_encrypted_snapshot(encryption_key="your-secure-key")
        await sealed.save_encrypted("secure_snapshot.enc")
        assert Path("secure_snapshot.enc").read_bytes().startswith(b"age-encryption.org/v1")
        opened = await Snapshot.load_encrypted(
            "secure_snapshot.enc", decryption_key="your-secure-key"
        )
        assert opened.to_dict() == sealed.to_dict()
        await player.load_snapshot(opened)
        assert len(player.queue.upcoming) == 4


@awaited
async def test_an_audit_of_what_was_created(node: Node) -> None:
    log: list[tuple[str, str | None, int]] = []

    @event_manager.on(EventType.SNAPSHOT_CREATED)
    async def audit(event: Event) -> None:
        snapshot, user = event.data["snapshot"], event.data["user"]
        log.append((snapshot.name, user, snapshot.size))

    async with bot(node) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot()
        assert log == [(snapshot.name, None, snapshot.size)]
        await player.create_snapshot("named", user="admin_user_id")
        assert log[1][:2] == ("named", "admin_user_id")


@awaited
async def test_integrity(node: Node) -> None:
    told: list[str] = []

    @event_manager.on(EventType.SNAPSHOT_CORRUPTION_DETECTED)
    async def on_corruption(event: Event) -> None:
        told.append(event.data["snapshot"].name)

    async with bot(node) as made:
        player = await playing(made)
        player.snapshots.enable_integrity_check = True
        snapshot = await player.create_snapshot("good")
        assert await snapshot.verify_integrity()
        snapshot.data["player"]["volume"] = 999
        assert not await snapshot.verify_integrity()
        with pytest.raises(SecurityError):
            await player.load_snapshot(snapshot)
        assert told == ["good"] and player.volume == 100

        text = snapshot.to_json()
        Path("changed.json").write_text(text.replace("999", "998"))
        with pytest.raises(SecurityError):
            await Snapshot.load_from_file("changed.json")
        assert told == ["good", "changed"]


class SessionManager:
    """Commands of a bot, as a cog has them."""

    def __init__(self, sonora: SonoraClient) -> None:
        self.sonora = sonora

    async def save_session(self, ctx: Any, name: str) -> None:
        player = await self.sonora.get_player(ctx.guild.id)
        snapshot = await player.create_snapshot()
        snapshot.name = name
        snapshot.description = f"Saved by {ctx.author.name}"
        await snapshot.save_to_file(f"sessions/{name}.json")
        ctx.said.append(f"{name}: {len(player.queue.upcoming)}, {title(player)}")

    async def load_session(self, ctx: Any, name: str) -> None:
        player = await self.sonora.get_player(ctx.guild.id)
        try:
            snapshot = await Snapshot.load_from_file(f"sessions/{name}.json")
            await player.load_snapshot(snapshot)
            ctx.said.append(f"{name}: {len(player.queue.upcoming)}, {title(player)}")
        except FileNotFoundError:
            ctx.said.append(f"no {name}")
        except Exception as error:
            ctx.said.append(f"failed: {error}")

    async def list_sessions(self, ctx: Any) -> None:
        ctx.said.append(
            [path.name for path in Path("sessions").iterdir() if path.suffix == ".json"]
        )


def title(player: Player) -> str:
    return player.current.title if player.current else "None"


@awaited
async def test_a_bot_with_commands(node: Node) -> None:
    async with bot(node) as made:
        said: list[Any] = []
        ctx = SimpleNamespace(
            guild=SimpleNamespace(id=7), author=SimpleNamespace(name="Ada"), said=said
        )
        player = await playing(made, guild=7)
        cog = SessionManager(made)
        await cog.save_session(ctx, "friday")
        await player.reset_to_defaults()
        await cog.load_session(ctx, "friday")
        await cog.load_session(ctx, "monday")
        await cog.list_sessions(ctx)
        shown = "friday: 4, Title of track-0"
        assert said == [shown, shown, "no monday", ["friday.json"]]
        snapshot = await Snapshot.load_from_file("sessions/friday.json")
        assert (snapshot.name, snapshot.description) == ("friday", "Saved by Ada")


class AutoBackup:
    """Files of all players that do something, now and then."""

    def __init__(self, made: SonoraClient, interval: float) -> None:
        self.client = made
        self.interval = interval
        self.most = 3
        self.rounds = 0
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.task = self.task or asyncio.create_task(self._loop())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            self.rounds += 1
            for guild_id, player in self.client.players.items():
                if player.current or player.queue.upcoming:
                    snapshot = await player.create_snapshot()
                    await snapshot.save_to_file(f"backups/guild_{guild_id}_{self.rounds}.json")
            for old in self.files("*")[self.most :]:
                old.unlink()

    def files(self, pattern: str) -> list[Path]:
        found = Path("backups").glob(f"{pattern}.json")
        return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    async def restore_latest(self, guild_id: int) -> bool:
        found = self.files(f"guild_{guild_id}_*")
        if not found:
            return False
        snapshot = await Snapshot.load_from_file(str(found[0]))
        player = await self.client.get_player(guild_id)
        await player.load_snapshot(snapshot)
        return True


@awaited
async def test_files_of_all_players(node: Node) -> None:
    async with bot(node) as made:
        await playing(made, guild=1)
        await made.get_player(2)
        backups = AutoBackup(made, 0.01)
        await backups.start()
        await until(lambda: backups.rounds > 5)
        await backups.stop()
        assert 1 <= len(backups.files("*")) <= 4
        assert not backups.files("guild_2_*"), "it does nothing"
        await made.players[1].reset_to_defaults()
        assert await backups.restore_latest(1)
        assert len(made.players[1].queue.upcoming) == 4
        assert not await backups.restore_latest(2)


@awaited
async def test_what_snapshots_say_together(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        await player.create_snapshot()
        await player.filters.preset("nightcore")
        await player.queue.remove(0)
        player.volume = 70
        await player.create_snapshot()

        first, second = await player.snapshots.list_snapshots()
        hours = Counter(it.created_at.hour for it in (first, second))
        assert hours.most_common(3) and sum(hours.values()) == 2
        assert (second.created_at - first.created_at).total_seconds() > 0
        assert len(second.queue) - len(first.queue) == -1
        assert len(second.filters) - len(first.filters) == 1
        keys = set(first.settings.keys()) | set(second.settings.keys())
        changed = [key for key in keys if first.settings.get(key) != second.settings.get(key)]
        assert changed == ["volume"]
        assert sum(it.size for it in (first, second)) > 0
