"""Snapshots of players that are damaged are repaired, and say what is not as it was taken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bots import awaited, bot, names, playing
from scripted import Node

import dalsegno
from dalsegno.sonora import Event, EventType, SecurityError, Snapshot, event_manager

STORE = Path(".sonora_snapshots/store.db")

SPOIL = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1])
with connection:
    assert connection.execute(sys.argv[2]).rowcount
connection.close()
"""

ROW = "UPDATE snapshot SET detail = x'00' WHERE name = 'good'"
"""What is said of the snapshot is lost."""

RECORD = """UPDATE record SET data = x'00'
            WHERE seq = (SELECT coalesce(state, seq) FROM snapshot WHERE name = 'good')"""
"""Its state is lost."""


def spoil(sql: str) -> None:
    """Changes a row. In another process: a second SQLite in this one would drop the locks of the first."""
    subprocess.run([sys.executable, "-c", SPOIL, str(STORE), sql], check=True, timeout=60)


async def taken(node: Node) -> None:
    """A snapshot that is called `good`, of a player with a volume of 31, and the end of the bot."""
    async with bot(node) as made:
        player = await playing(made)
        player.volume = 31
        await player.create_snapshot("good")
        player.volume = 32


def asides() -> list[Path]:
    return list(STORE.parent.glob("*.replaced-*"))


@awaited
async def test_a_handler_repairs_it_from_the_backup_that_the_store_knows_of(node: Node) -> None:
    await taken(node)
    with dalsegno.open(STORE) as engine:
        engine.back_up("backups")
    spoil("UPDATE record SET data = zeroblob(length(data))")
    repaired: list[tuple[str, bool]] = []

    @event_manager.on(EventType.SNAPSHOT_CORRUPTION_DETECTED)
    async def on_corruption(event: Event) -> None:
        snapshot = event.data["snapshot"]
        repaired.append((snapshot.name, await snapshot.repair()))

    async with bot(node) as made:
        player = await made.get_player(1)
        (snapshot,) = await player.snapshots.list_snapshots()
        with pytest.raises(SecurityError):
            await player.load_snapshot(snapshot)
        assert repaired == [("good", True)]
        await player.load_snapshot(snapshot)
        assert player.volume == 31 and len(names(player)) == 4 and snapshot.repaired is None
        # The bot goes on with the session that was repaired.
        player.volume = 33
        assert await (await player.create_snapshot("later")).verify_integrity()
    with dalsegno.open(STORE) as engine:
        assert engine.verify()["damage"] == []


@awaited
async def test_what_is_not_as_it_was_is_marked_until_a_copy_gives_it_back(node: Node) -> None:
    await taken(node)
    shutil.copy(STORE, "copy.db")
    with dalsegno.open("other.db") as other:
        other.save("sonora/1", {})
    spoil(ROW)
    async with bot(node) as made:
        player = await made.get_player(1)
        (snapshot,) = await player.snapshots.list_snapshots()
        assert snapshot.name.startswith("damaged ")
        with pytest.raises(dalsegno.InvalidInputError, match="another store"):
            await snapshot.repair(["other.db"])
        with pytest.raises(dalsegno.NotFoundError):
            await snapshot.repair("nowhere.db")
        assert not asides() and not await snapshot.verify_integrity()

        assert not await snapshot.repair()
        mark = snapshot.repaired
        assert mark is not None and mark["lost_metadata"] and not mark["lost_state"]
        assert len(asides()) == 1
        # What is left can be used all the same.
        assert snapshot.data["player"]["volume"] == 31 and await snapshot.verify_integrity()

        assert await snapshot.repair(Path("copy.db"))
        assert snapshot.repaired is None and snapshot.name == "good"
        (again,) = await player.snapshots.list_snapshots()
        assert again.name == "good" and again.repaired is None


@awaited
async def test_a_state_that_is_lost_is_never_said_to_be_whole(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot(node) as made:
        player = await playing(made)
        await player.create_snapshot("before")
        player.volume = 31
        known = await player.create_snapshot("good")
        spoil(RECORD)
        snapshot = (await player.snapshots.list_snapshots())[-1]
        assert snapshot.name == "good" and not await snapshot.verify_integrity()

        assert not await snapshot.repair()
        mark = snapshot.repaired
        assert mark is not None and mark["lost_state"]
        assert "its state is lost" in caplog.text
        assert not await snapshot.verify_integrity()
        with pytest.raises(SecurityError):
            await player.load_snapshot(snapshot)
        # What a program has in memory is not exchanged for it.
        assert not await known.repair() and known.data["player"]["volume"] == 31
        player.snapshots.enable_integrity_check = False
        await player.load_snapshot(snapshot)
        assert player.volume == snapshot.settings["volume"]


@awaited
async def test_what_was_changed_in_memory_is_read_again(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot("good")
        await snapshot.save_to_file("good.json")
        loaded = await Snapshot.load_from_file("good.json")
        (unread,) = await player.snapshots.list_snapshots()
        for it in (snapshot, loaded):
            it.data["player"]["volume"] = 999
            assert not await it.verify_integrity()
            assert await it.repair() and it.data["player"]["volume"] == 100
            assert await it.verify_integrity()
        assert not asides()
    # Of what nobody has read, nobody can say anything any more.
    assert not await unread.verify_integrity()
    with pytest.raises(dalsegno.ConflictError, match="closed"):
        await unread.repair()
    assert await snapshot.repair()


@awaited
async def test_of_a_file_nothing_is_repaired(node: Node) -> None:
    text = Snapshot(7, {"player": {"volume": 5}}).to_json().replace("5", "6", 1)
    Path("torn.json").write_text(text)
    found: list[bool] = []

    @event_manager.on(EventType.SNAPSHOT_CORRUPTION_DETECTED)
    async def on_corruption(event: Event) -> None:
        found.append(await event.data["snapshot"].repair())

    with pytest.raises(SecurityError):
        await Snapshot.load_from_file("torn.json")
    assert found == [False] and Path("torn.json").read_text() == text
