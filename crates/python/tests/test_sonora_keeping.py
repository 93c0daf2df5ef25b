"""Snapshots that are written, listed, damaged, sealed and undone."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from bots import awaited, bot, names, playing, until
from scripted import Node

import dalsegno
from dalsegno.sonora import (
    Event,
    EventType,
    SecurityError,
    Snapshot,
    WrongKeyError,
    event_manager,
    snapshot_manager,
)


@awaited
async def test_assignments_reach_the_file_and_the_store(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot()
        assert snapshot.name.startswith("guild_1_")
        snapshot.name, snapshot.description = "party", "the best"
        other = await player.create_snapshot("party")
        for text in (snapshot.to_json(), other.to_json()):
            assert Snapshot.from_json(text).name == "party"
        with pytest.raises(ValueError, match="empty"):
            snapshot.name = ""
        with pytest.raises(ValueError, match="JSON"):
            snapshot.metadata = {"a": {1}}
        listed = await player.snapshots.list_snapshots()
        assert [it.name for it in listed] == ["party", "party"]
        assert [it.description for it in listed] == ["the best", None]
    # The client was closed: the file has it all the same.
    snapshot.name = "afterwards"
    await snapshot.save_to_file("deep/er/afterwards.json")
    assert (await Snapshot.load_from_file(Path("deep/er/afterwards.json"))).name == "afterwards"
    assert Path("deep/er/afterwards.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path("deep/er").iterdir()] == ["afterwards.json"]
    with dalsegno.open(".sonora_snapshots") as engine:
        assert engine.info("party")["id"] == other._id


@awaited
async def test_a_damaged_one_is_listed_and_told_and_the_others_stay(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        await player.create_snapshot("good")
    store = sqlite3.connect(".sonora_snapshots/store.db")
    store.execute("UPDATE record SET data = zeroblob(length(data))")
    store.commit()
    store.close()
    told: list[str] = []

    @event_manager.on(EventType.SNAPSHOT_CORRUPTION_DETECTED)
    def on_corruption(event: Event) -> None:
        told.append(event.data["snapshot"].name)

    async with bot(node) as made:
        player = await made.get_player(1)
        (snapshot,) = await player.snapshots.list_snapshots()
        assert snapshot.name == "good" and not await snapshot.verify_integrity()
        assert not await snapshot.verify_integrity()
        with pytest.raises(SecurityError):
            await player.load_snapshot(snapshot)
        with pytest.raises(SecurityError):
            snapshot.data  # noqa: B018
        assert told == ["good"]
        player.volume = 31
        assert await (await player.create_snapshot()).verify_integrity()


@awaited
async def test_who_waits_no_more_has_all_or_nothing(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot()
        await player.reset_to_defaults()
        task = asyncio.create_task(player.load_snapshot(snapshot))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        # Whether it had begun or not, the player and its node agree.
        if player.current is not None or names(player):
            assert len(names(player)) == 4
        saving = asyncio.create_task(snapshot.save_to_file("cancelled.json"))
        await asyncio.sleep(0)
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        await until(lambda: not list(Path().glob(".*cancelled*")))
        if Path("cancelled.json").exists():
            assert await Snapshot.load_from_file("cancelled.json")


@awaited
async def test_wrong_keys_and_torn_files(node: Node) -> None:
    async with bot(node) as made:
        player = await made.get_player(1)
        with pytest.raises(ValueError, match="empty key"):
            await player.create_encrypted_snapshot("")
        plain = await player.create_snapshot()
        with pytest.raises(ValueError, match="no key"):
            await plain.save_encrypted("a.enc")
        await plain.save_encrypted("a.enc", "right")
        with pytest.raises(WrongKeyError) as wrong:
            await Snapshot.load_encrypted("a.enc", "wrong")
        assert isinstance(wrong.value, dalsegno.WrongKeyError)
        with pytest.raises(FileNotFoundError):
            await Snapshot.load_encrypted("b.enc", "right")
        with pytest.raises(FileNotFoundError):
            await Snapshot.load_from_file("b.json")
        with pytest.raises(ValueError, match=r"a\.enc"):
            await Snapshot.load_from_file("a.enc")


def test_dicts_and_texts() -> None:
    snapshot = Snapshot(7, {"player": {"volume": 5}})
    again = Snapshot.from_dict(snapshot.to_dict())
    assert again.to_dict() == snapshot.to_dict()
    assert type(again.created_at) is datetime and again.created_at.tzinfo
    assert snapshot_manager.from_json(snapshot.to_json()).data == {"player": {"volume": 5}}
    changed = snapshot.to_dict()
    changed["data"]["player"]["volume"] = 6
    with pytest.raises(SecurityError):
        Snapshot.from_dict(changed)
    with pytest.raises(ValueError):
        Snapshot.from_dict({})
    snapshot.checksum = "0" * 64
    assert not asyncio.run(snapshot.verify_integrity())
    # A Sonora of before: no version, no checksum.
    old = Snapshot.from_json('{"guild_id": 1, "timestamp": 5, "data": {}}')
    assert (old.version, old.queue, old.filters, old.settings["volume"]) == ("1.2.0", [], {}, 100)


@awaited
async def test_files_are_text_that_others_read(node: Node) -> None:
    async with bot(node) as made:
        snapshot = await (await playing(made)).create_snapshot()
        await snapshot.save_to_file("a.json")
        members = json.loads(Path("a.json").read_text())
        assert list(members) == ["guild_id", "timestamp", "version", "data", "name", "checksum"]


@awaited
async def test_a_reset_can_be_undone(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        player.volume = 61
        await player.reset_to_defaults()
        assert node.player(1)["identifier"] is None
        await made.save()
    with dalsegno.open(".sonora_snapshots") as engine:
        engine.rollback("sonora/1")
    async with bot(node) as made:
        player = made.players[1]
        assert (player.volume, len(names(player))) == (61, 4)
        assert node.player(1)["identifier"] == "track-0"
