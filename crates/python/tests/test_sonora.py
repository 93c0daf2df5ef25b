"""Players in Python: what is beyond the examples of the documents."""

from __future__ import annotations

import asyncio
from collections.abc import MutableSequence
from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, client, names, playing, tracks, until
from scripted import Node

import dalsegno
from dalsegno import errors, sonora
from dalsegno.sonora import (
    Event,
    EventType,
    SecurityError,
    SonoraClient,
    SonoraError,
    Track,
    UnreachableError,
    event_manager,
    snapshot_manager,
)


def test_every_error_is_both_sonoras_and_dalsegnos() -> None:
    for name in sonora.errors.__all__:
        own = getattr(sonora.errors, name)
        assert issubclass(own, SonoraError) and issubclass(own, dalsegno.DalsegnoError)
        theirs = getattr(errors, name, errors.DalsegnoError)
        assert issubclass(own, theirs) and own("why").message == "why"
    for of_security in (sonora.DamagedError, sonora.WrongKeyError):
        assert issubclass(of_security, SecurityError)
    assert issubclass(UnreachableError, ConnectionError)


def test_a_track_says_nothing_wrong() -> None:
    strange: dict[str, Any] = {"title": 7, "length": None, "uri": [], "userData": "x"}
    for info in (None, dict[str, Any](), strange):
        track = Track("QAAA", info)
        assert (track.title, track.author, track.identifier, track.length) == ("", "", "", 0)
        assert (track.uri, track.source_name, track.artwork_url, track.isrc) == (None,) * 4
        assert (track.is_stream, track.is_seekable, track.user_data) == (False, True, {})
        assert track.encoded == "QAAA" and repr(track)
    assert Track("a", {"title": "t"}) == Track("a", {"title": "t"}) != Track("b", {"title": "t"})


@awaited
async def test_the_lists_of_a_queue_are_sequences(node: Node) -> None:
    async with bot(node) as made:
        player = await made.get_player(1)
        plain = await tracks(made, 0, 5)
        upcoming: MutableSequence[Track] = player.queue._upcoming
        upcoming.extend(plain)
        assert list(upcoming) == plain and upcoming == plain and plain[2] in upcoming
        assert (upcoming[-1], upcoming[1:3]) == (plain[4], plain[1:3])
        assert upcoming.pop() == plain.pop() and upcoming.pop(0) == plain.pop(0)
        upcoming[1:] = plain[:1]
        plain[1:] = plain[:1]
        upcoming.insert(-1, plain[0])
        plain.insert(-1, plain[0])
        upcoming.reverse()
        plain.reverse()
        del upcoming[0]
        del plain[0]
        assert upcoming == plain and len(player.queue) == len(plain)
        with pytest.raises(IndexError):
            upcoming[7]
        with pytest.raises(IndexError):
            del upcoming[-7]
        for track in upcoming:
            upcoming.remove(track)
        assert player.queue.is_empty and player.queue
        with pytest.raises(ValueError, match="loop mode"):
            player.queue.loop_mode = "forever"


@awaited
async def test_a_queue_is_shuffled_and_moved(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, upcoming=20)
        before = names(player)
        player.queue.move(0, 19)
        assert names(player) == [*before[1:], before[0]]
        moved = names(player)
        player.queue.shuffle()
        assert names(player) != moved and sorted(names(player)) == sorted(before)
        assert (await player.skip_to(3)) == player.current


@awaited
async def test_what_plays(node: Node) -> None:
    told: list[str] = []

    def heard(event: Event) -> None:
        told.append(event.type.value)

    for event_type in (EventType.TRACK_START, EventType.TRACK_END, EventType.QUEUE_EMPTY):
        event_manager.on(event_type, heard)
    async with bot(node) as made:
        player = await playing(made, upcoming=1)
        assert player.is_playing and not player.is_paused and player.node == "main"
        player.paused = True
        assert node.player(1)["paused"]
        await player.play()
        assert not node.player(1)["paused"]
        assert node.ask("raise", guild=1, event="finished")
        await until(lambda: node.player(1)["identifier"] == "track-1")
        before = await player.back()
        assert before is not None and before.title == "Title of track-0"
        await player.skip()
        assert await player.skip() is None
        await player.stop()
        await until(lambda: "queue_empty" in told)
        assert told[:3] == ["track_start", "track_end", "track_start"]


@awaited
async def test_players_come_and_go_while_somebody_goes_through_them(node: Node) -> None:
    async with bot(node) as made:
        for guild in (1, 2, 3):
            await made.get_player(guild)
        seen: list[int] = []
        for guild, player in made.players.items():
            seen.append(guild)
            if guild == 1:
                await made.players[3].destroy()
            if guild != 3:
                await player.destroy()
            await made.get_player(guild + 10)
        assert seen == [1, 2, 3] and list(made.players) == [11, 12, 13]
        assert 1 not in made.players and made.players[11] is await made.get_player(11)
        assert len(made.players) == 3 and len(list(made.players.values())) == 3
        again = await made.get_player(1)
        again.volume = 50
        assert node.player(1)["volume"] == made.players[1].volume == 50
        assert (await again.create_snapshot()).settings["volume"] == 50, (
            "it is the one that is kept"
        )


@awaited
async def test_a_node_that_does_not_do_it_leaves_all_as_it_was(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot()
        player.volume = 70
        await player.queue.clear()
        node.ask("fault", fault="lie", method="PATCH", path="/v4/sessions/*/players/*")
        with pytest.raises(sonora.ConflictError):
            await player.load_snapshot(snapshot)
        assert (player.volume, names(player)) == (70, [])
        node.ask("no_faults")
        node.ask("fault", fault="status", status=400, method="PATCH", path="**", times=1)
        with pytest.raises(ValueError):
            player.volume = 10
        assert player.volume == 70
        for wrong in (-1, 1001, 70_000):
            with pytest.raises(ValueError, match="volume"):
                player.volume = wrong
        with pytest.raises(TypeError):
            player.volume = "loud"  # type: ignore[assignment]  # pyright: ignore


@awaited
async def test_a_snapshot_of_another_guild_is_taken_as_it_is(node: Node) -> None:
    async with bot(node) as made:
        snapshot = await (await playing(made, guild=1)).create_snapshot()
        other = await made.get_player(2)
        loaded = await other.load_snapshot(snapshot)
        assert (loaded["guild"], loaded["upcoming"], other.channel_id) == (2, 4, None)


@awaited
async def test_no_node_and_a_wrong_password(node: Node, tmp_path: Path) -> None:
    closed = {"host": "127.0.0.1", "port": 1, "password": "x"}
    with pytest.raises(UnreachableError):
        await SonoraClient([closed]).start()  # type: ignore[list-item]  # pyright: ignore
    with pytest.raises(sonora.AccessDeniedError):
        await SonoraClient([{"port": node.port, "password": "wrong"}]).start()
    with pytest.raises(ValueError, match="colour"):
        SonoraClient([{"colour": 1}])  # type: ignore[typeddict-unknown-key]  # pyright: ignore
    with pytest.raises(ValueError, match="password"):
        await SonoraClient([{"port": node.port}]).start()
    secret = tmp_path / "secret"
    secret.write_text(node.password + "\n")
    async with SonoraClient([{"port": node.port, "password_file": str(secret)}]) as made:
        assert [it.up for it in made.nodes] == [True]
        await made.start()
        assert await made.load_tracks("nothing of that name") == []
    await made.close()
    assert not made.is_running and list(made.players) == []


@awaited
async def test_plugins_and_settings_are_part_of_it(node: Node) -> None:
    class Votes:
        name = "votes"
        version = "1"

        def __init__(self) -> None:
            self.of: dict[int, Any] = {1: {"skip": [7]}}

        def save(self, guild_id: int) -> Any:
            return self.of.get(guild_id)

        def load(self, guild_id: int, version: str, state: Any) -> None:
            assert version == "1"
            self.of[guild_id] = state

    votes = Votes()
    async with bot(node, plugins=[votes]) as made:
        player = await made.get_player(1)
        player.settings = {"prefix": "!"}
        snapshot = await player.create_snapshot()
        assert snapshot.settings["plugins"]["votes"]["state"] == {"skip": [7]}
        votes.of[1], player.settings = None, {}
        await player.load_snapshot(snapshot)
        assert votes.of[1] == {"skip": [7]} and player.settings == {"prefix": "!"}


@awaited
async def test_autoplay_asks_the_provider(node: Node) -> None:
    class Radio:
        def __init__(self) -> None:
            self.asked: list[str] = []

        async def search(self, query: str, limit: int) -> list[Track]:
            self.asked.append(query)
            return await tracks(made, 50, 51)

        async def popular(self, limit: int) -> list[Track]:
            return []

        async def random(self, limit: int) -> list[Track]:
            return []

        async def playlist(self, name: str, limit: int) -> list[Track]:
            return []

    radio = Radio()
    made = client(node, provider=radio)
    player = await playing(made, upcoming=0)
    player.queue.loop_mode = "autoplay"
    assert node.ask("raise", guild=1, event="finished")
    await until(lambda: node.player(1)["identifier"] == "track-50")
    assert radio.asked
    await made.close()


@awaited
async def test_another_program_has_the_player(node: Node) -> None:
    async with bot(node) as made:
        await made.get_player(1)
        async with bot(node) as other:
            with pytest.raises(sonora.LockedError):
                await other.get_player(1)
            assert list(other.players) == []


@awaited
async def test_a_setting_that_there_is_not_is_refused(node: Node) -> None:
    async with bot(node) as made:
        player = await made.get_player(1)
        with pytest.raises(AttributeError):
            player.snapshots.autosave = True  # type: ignore[attr-defined]  # pyright: ignore
        for wrong in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="interval"):
                player.snapshots.auto_save_interval = wrong
            with pytest.raises(ValueError, match="interval"):
                snapshot_manager.auto_snapshot_interval = wrong
        assert player.snapshots.auto_save_interval == 300


@awaited
async def test_calls_that_are_not_awaited_work_in_a_loop_and_elsewhere(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)

        def work() -> int:
            player.volume = 12
            snapshot = snapshot_manager.create_snapshot(player)
            snapshot_manager.save_snapshot(snapshot, "thread.json")
            return int(snapshot_manager.load_snapshot("thread.json").settings["volume"])

        assert work() == 12
        assert await asyncio.to_thread(work) == 12
        results = await asyncio.gather(*(player.create_snapshot(f"n{n}") for n in range(20)))
        assert len({it.name for it in results}) == 20
