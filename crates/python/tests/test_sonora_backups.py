"""Backups of players: what the document on snapshots shows of them, and what can go wrong."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, client, names, playing, tracks
from hypothesis import given
from hypothesis import strategies as st
from scripted import Node

import dalsegno
from dalsegno.sonora import (
    Backup,
    ConflictError,
    DamagedError,
    Event,
    EventType,
    NotAllRestoredError,
    NotFoundError,
    PermissionDeniedError,
    Player,
    SecurityError,
    Snapshot,
    SonoraClient,
    SonoraError,
    event_manager,
)
from dalsegno.sonora._change import applied, change, text


async def change_all(player: Player) -> None:
    """Makes it another player."""
    await player.queue.clear()
    await player.filters.clear()
    await player.skip()
    player.volume = 20
    player.settings = {}
    player.queue.loop_mode = "none"


@awaited
async def test_a_full_backup(node: Node) -> None:
    async with bot(node) as made:
        players = [await playing(made, guild, upcoming=guild) for guild in (1, 2, 3)]
        for player in players:
            player.volume = 40 + player.guild_id
            player.settings = {"dj": player.guild_id}
            player.queue.loop_mode = "queue"
            await player.filters.preset("nightcore")
            await player.seek(30_000)
        await players[1].pause()
        idle = await made.get_player(4)

        backup = await made.create_full_backup()
        await backup.save_to_file("full_backup.json")
        for player in players:
            await change_all(player)
        await idle.queue.add_multiple(await tracks(made, 0, 2))

        restored_backup = await Backup.load_from_file("full_backup.json")
        restored = await made.restore_from_backup(restored_backup)

        assert backup.guilds == [1, 2, 3, 4] and (backup.kind, backup.base) == ("full", None)
        assert set(restored) == {1, 2, 3, 4} and restored[2]["upcoming"] == 2
        for player in players:
            guild = player.guild_id
            assert player.current is not None and player.current.identifier == "track-0"
            assert player.position >= 30_000
            assert names(player) == [f"track-{n}" for n in range(1, guild + 1)]
            assert (player.volume, player.settings["dj"]) == (40 + guild, guild)
            assert list(player.filters) and player.queue.loop_mode == "queue"
            assert node.player(guild)["volume"] == 40 + guild
        assert players[1].is_paused and not players[0].is_paused
        assert (idle.current, len(idle.queue.upcoming)) == (None, 0)
        # Each is a snapshot in the store, too.
        (taken,) = await players[0].snapshots.list_snapshots()
        assert taken.data == backup.players[1].data


@awaited
async def test_another_bot_starts_with_it(node: Node) -> None:
    async with bot(node, store="first.db") as made:
        for guild in (1, 2):
            await playing(made, guild)
        await (await made.create_full_backup()).save_to_file("full.json")
        for player in list(made.players.values()):
            await player.destroy()
    made = client(node, store="second.db")
    await made.restore_from_backup(await Backup.load_from_file("full.json"))
    assert [len(it.queue.upcoming) for it in made.players.values()] == [4, 4]
    await made.close()


@awaited
async def test_what_changed_since_the_last_backup(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, upcoming=50)
        first = await player.create_incremental_backup(since_last_backup=True)
        assert (first.kind, first.base, first.guilds) == ("full", None, [1])
        await player.skip()
        player.volume = 44
        incremental = await player.create_incremental_backup(since_last_backup=True)
        assert incremental.kind == "incremental"
        assert incremental.base is not None and incremental.base["backup"] == first.id
        # The queue is not in it again.
        assert incremental.size < first.size / 5
        await incremental.save_to_file("incremental.json")
        whole = await player.create_incremental_backup(since_last_backup=False)
        assert whole.kind == "full"

    # Also after a restart, and of a backup of all.
    async with bot(node) as made:
        player = made.players[1]
        full = await made.create_full_backup()
        player.volume = 45
        third = await player.create_incremental_backup()
        assert third.base is not None and third.base["backup"] == full.id
        await change_all(player)
        await made.restore_from_backup(third)
        assert (player.volume, len(player.queue.upcoming)) == (45, 49)
        await change_all(player)
        await made.restore_from_backup(await Backup.load_from_file("incremental.json"))
        assert (player.volume, len(player.queue.upcoming)) == (44, 49)


@awaited
async def test_what_changed_since_a_snapshot(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        previous_snapshot = await player.create_snapshot("previous")
        await previous_snapshot.save_to_file("previous.json")
        player.volume = 33
        await player.queue.add((await tracks(made, 7, 8))[0])
        differential = await player.create_differential_backup(base_snapshot=previous_snapshot)
        await differential.save_to_file("differential.json")
        again = await Backup.load_from_file("differential.json")
        assert again.to_dict() == differential.to_dict()
        assert again.kind == "differential" and again.base is not None
        assert again.base["name"] == "previous" and again.base["snapshot"] == previous_snapshot._id
        await change_all(player)
        await made.restore_from_backup(again)
        assert (player.volume, len(player.queue.upcoming)) == (33, 5)

        previous_snapshot.checksum = "0" * 64
        with pytest.raises(SecurityError, match="not what was taken"):
            await player.create_differential_backup(base_snapshot=previous_snapshot)
        other = await made.get_player(2)
        with pytest.raises(ValueError, match="of guild 1, and not of 2"):
            await other.create_differential_backup(base_snapshot=previous_snapshot)


@awaited
async def test_a_base_that_is_missing_or_another_one(node: Node) -> None:
    async with bot(node, store="first.db") as made:
        player = await playing(made)
        other = await player.create_snapshot("other")
        player.volume = 80
        full = await made.create_full_backup()
        player.volume = 81
        second = await player.create_incremental_backup()
        player.volume = 82
        third = await player.create_incremental_backup()
        # The same state as another one: the way back goes not round in circles.
        player.volume = 81
        fourth = await player.create_incremental_backup()
        await player.destroy()

    async with bot(node, store="second.db") as made:
        player = await playing(made, upcoming=1)
        with pytest.raises(NotFoundError, match=r"needs the snapshot .* is not in the store"):
            await made.restore_from_backup(third)
        wrongs: list[list[Snapshot | Backup]]
        wrongs = [[other], [full], [other, second], [third], [fourth]]
        for wrong in wrongs:
            with pytest.raises(ConflictError, match=r"goes on from the snapshot .* not from"):
                await made.restore_from_backup(third, base=wrong)
        with pytest.raises(ConflictError):
            await made.restore_from_backup(fourth, base=[second, third])
        assert (player.volume, names(player)) == (100, ["track-1"])
        await made.restore_from_backup(third, base=[second, full])
        assert (player.volume, len(player.queue.upcoming)) == (82, 4)
        await made.restore_from_backup(second, base=full)
        assert player.volume == 81
        player.volume = 1
        await made.restore_from_backup(fourth, base=[full, second, third])
        assert player.volume == 81
        with pytest.raises(ValueError, match="only what changed since"):
            _ = second.players


@awaited
async def test_a_file_is_its_owners_and_whole_and_proved(node: Node) -> None:
    async with bot(node) as made:
        await playing(made)
        backup = await made.create_full_backup()
        assert await backup.save_to_file("new/folder/full.json") == "new/folder/full.json"
    path = Path("new/folder/full.json")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    content = json.loads(path.read_text())
    claimed = content.pop("checksum")
    told = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    assert claimed == told == backup.checksum == (await Backup.load_from_file(path)).checksum
    assert Snapshot.from_dict(content["players"][0]).guild_id == 1
    assert Backup.from_json(backup.to_json()).to_dict() == backup.to_dict()

    heard: list[Event] = []
    event_manager.on(EventType.SNAPSHOT_CORRUPTION_DETECTED, heard.append)
    whole = path.read_bytes()
    chance = random.Random(7)
    refused = 0
    for place in chance.sample(range(len(whole)), 300):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = await Backup.load_from_file(path)
        except SecurityError:
            refused += 1
        except ValueError as error:
            assert isinstance(error, SonoraError)
        else:
            # White space is not content.
            assert found.to_dict() == backup.to_dict()
    assert refused > 100 and len(heard) == refused
    for place in chance.sample(range(len(whole)), 30):
        path.write_bytes(whole[:place])
        with pytest.raises(ValueError, match="it is no backup"):
            await Backup.load_from_file(path)
    with pytest.raises(DamagedError):
        Backup.from_dict(content)
    with pytest.raises(FileNotFoundError):
        await Backup.load_from_file("nowhere.json")
    await backup.players[1].save_to_file("snapshot.json")
    with pytest.raises(ValueError, match=r"Snapshot\.load_from_file"):
        await Backup.load_from_file("snapshot.json")
    with pytest.raises(ValueError, match="guild_id"):
        await Snapshot.load_from_file(await backup.save_to_file("backup.json"))


@awaited
async def test_changes_that_do_not_lead_there_are_refused(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        await player.create_incremental_backup()
        player.volume = 33
        backup = await player.create_incremental_backup()
        content = backup.to_dict()
        content["players"][0]["changes"]["members"]["player"]["members"]["volume"] = {"value": 34}
        del content["checksum"]
        written = json.dumps(content, sort_keys=True).encode()
        forged = Backup.from_dict({**content, "checksum": hashlib.sha256(written).hexdigest()})
        with pytest.raises(DamagedError, match="do not lead to the state"):
            await made.restore_from_backup(forged)
        assert player.volume == 33


@awaited
async def test_one_that_fails_holds_up_no_other(node: Node) -> None:
    async with bot(node) as made:
        players = [await playing(made, guild) for guild in (1, 2, 3)]
        backup = await made.create_full_backup()
        for player in players:
            player.volume = 20
        players[1].snapshots.require_permission = True
        with pytest.raises(NotAllRestoredError, match="1 of 3 players .* guild 2") as raised:
            await made.restore_from_backup(backup, user="stranger")
        assert set(raised.value.restored) == {1, 3}
        assert isinstance(raised.value.failed[2], PermissionDeniedError)
        assert [player.volume for player in players] == [100, 20, 100]
        assert node.player(2)["volume"] == 20


@awaited
async def test_who_may_and_who_is_told(node: Node) -> None:
    async with bot(node, store="store.db") as made:
        with dalsegno.open("store.db") as engine:
            engine.audit_on()
        players = [await playing(made, guild) for guild in (1, 2)]
        players[1].snapshots.require_permission = True
        players[1].snapshots.allowed_users = [7]
        told: list[tuple[EventType, int, Any]] = []

        def heard(event: Event) -> None:
            told.append((event.type, event.data["snapshot"].guild_id, event.data["user"]))

        event_manager.on(EventType.SNAPSHOT_CREATED, heard)
        event_manager.on(EventType.SNAPSHOT_RESTORED, heard)
        # All of them, or none.
        with pytest.raises(PermissionDeniedError):
            await made.create_full_backup(user="stranger")
        assert not told and await players[0].snapshots.list_snapshots() == []
        backup = await made.create_full_backup(user=7)
        await made.restore_from_backup(backup, user=7)
        assert sorted(told, key=str) == sorted(
            [
                (event_type, guild, 7)
                for event_type in (EventType.SNAPSHOT_CREATED, EventType.SNAPSHOT_RESTORED)
                for guild in (1, 2)
            ],
            key=str,
        )
        with dalsegno.open("store.db") as engine:
            done = engine.audit_log(who="7", actions=["save", "restore"])["entries"]
            assert sorted(it["action"] for it in done) == ["restore", "restore", "save", "save"]


@awaited
async def test_nothing_to_back_up(node: Node) -> None:
    made: SonoraClient = client(node)
    backup = await made.create_full_backup()
    assert backup.guilds == [] and await made.restore_from_backup(backup) == {}
    await made.close()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.floats(0, 1) | st.text("ab", max_size=2),
    lambda inside: (
        st.lists(inside, max_size=6) | st.dictionaries(st.text("abc", max_size=1), inside)
    ),
)


@given(VALUES, VALUES)
def test_a_change_leads_from_any_value_to_any_other(before: object, after: object) -> None:
    made = json.loads(text(change(before, after)))
    assert text(applied(before, made)) == text(after)
    assert bool(made) == (text(before) != text(after))
