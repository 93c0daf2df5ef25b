"""Players in Python: what is beyond the examples of the documents."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import MutableSequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, client, names, playing, tracks, until
from children import child
from scripted import Node
from scripted import node as another_node

import dalsegno
from dalsegno import errors, sonora
from dalsegno.sonora import (
    Event,
    EventType,
    SecurityError,
    Snapshot,
    SonoraClient,
    SonoraError,
    Track,
    UnreachableError,
    VoiceServer,
    WrongKeyError,
    event_manager,
    snapshot_manager,
)


def test_every_error_is_both_sonoras_and_dalsegnos() -> None:
    for name in sonora.errors.__all__:
        own = getattr(sonora.errors, name)
        assert issubclass(own, SonoraError) and issubclass(own, dalsegno.DalsegnoError)
        theirs = getattr(errors, name, errors.DalsegnoError)
        assert issubclass(own, theirs) and own("why").message == "why"
    assert issubclass(SecurityError, dalsegno.DamagedError)
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
async def test_who_listens_slowly_or_fails_harms_nobody(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Any] = []

    @event_manager.on(EventType.SNAPSHOT_CREATED)
    def fails(event: Event) -> None:
        raise RuntimeError("no")

    @event_manager.on(EventType.SNAPSHOT_CREATED)
    async def slow(event: Event) -> None:
        heard.append(event)
        await asyncio.sleep(0)
        raise RuntimeError("neither")

    async with bot(node) as made:
        player = await made.get_player(1)
        snapshot_manager.create_snapshot(player)
        await until(lambda: len(caplog.records) == 2)
        event_manager.off(EventType.SNAPSHOT_CREATED, slow)
        event_manager.off(EventType.SNAPSHOT_CREATED, fails)
        await player.create_snapshot()
        assert len(heard) == 1

        # From a thread without a loop, too.
        event_manager.on(EventType.SNAPSHOT_CREATED, slow)
        await asyncio.to_thread(snapshot_manager.create_snapshot, player)
        await until(lambda: len(heard) == 2)
        caplog.clear()


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


BOT = """
import asyncio, sys
from dalsegno.sonora import SonoraClient

async def main():
    client = SonoraClient([{"port": int(sys.argv[1]), "password": sys.argv[2], "name": "main"}], settle=0.02)
    player = await client.get_player(1)
    await player.connect(5, "s", "t", "127.0.0.1:1")
    first, *others = [await client.load_track(f"track-{n}") for n in range(4)]
    await player.play(first)
    await player.queue.add_multiple(others)
    player.volume = 35
    await player.create_snapshot("before")
    await client.save()
    print("ready", flush=True)
    if sys.argv[3] == "wait":
        await asyncio.sleep(600)

asyncio.run(main())
"""


@awaited
async def test_after_kill_9_every_player_plays_on(node: Node) -> None:
    with child(BOT, str(node.port), node.password, "wait") as program:
        assert program.says() == "ready"
        program.process.kill()
        program.process.wait()
    heard = node.heard(1)
    async with bot(node) as made:
        assert [it["how"] for it in made.recovery["players"]] == ["kept"]
        assert [it["session"] for it in made.recovery["sessions"]] == ["sonora/1"]
        player = made.players[1]
        assert (player.volume, names(player)) == (35, ["track-1", "track-2", "track-3"])
        assert node.heard(1) == heard, "nobody heard anything of it"
        assert [it.name for it in await player.snapshots.list_snapshots()] == ["before"]


@awaited
async def test_on_another_node_it_goes_on_where_it_was(node: Node) -> None:
    async def voice(guild_id: int, channel_id: int) -> VoiceServer:
        return VoiceServer(channel_id, "s", "t", "127.0.0.1:1")

    async with bot(node) as made:
        await (await playing(made)).seek(45_000)
    node.ask("kill")
    with another_node() as fresh:
        async with bot(fresh, voice=voice) as made:
            (brought,) = made.recovery["players"]
            assert brought["how"] == "put_back" and fresh.player(1)["connected"]
            assert fresh.player(1)["identifier"] == "track-0"
            assert fresh.player(1)["position"] >= 45_000


@awaited
async def test_a_program_that_just_ends_closes_its_sessions(node: Node) -> None:
    # Often, because what goes wrong at an end goes wrong sometimes.
    for _ in range(8):
        with child(BOT, str(node.port), node.password, "end") as program:
            assert program.says() == "ready"
            assert program.ends() == (0, "", "")
    with dalsegno.open(".sonora_snapshots") as engine:
        assert [it["standing"] for it in engine.holders()] == ["closed"]
        assert engine.restore("sonora/1@latest")["player"]["volume"] == 35


FORKS = """
import asyncio, os, sys
import dalsegno
from dalsegno.sonora import SonoraClient, StorageError

async def main():
    client = SonoraClient([{"port": int(sys.argv[1]), "password": sys.argv[2]}], settle=0.02)
    player = await client.get_player(1)
    pid = os.fork()
    if pid == 0:
        for work in (lambda: player.volume, lambda: len(player.queue.upcoming),
                     lambda: dalsegno.open("other.db")):
            try:
                work()
                print("done", flush=True)
            except dalsegno.StorageError as error:
                assert "forked" in str(error)
        print(client.is_running, list(client.players), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    player.volume = 44
    print("parent", player.volume, flush=True)
    await client.close()
    dalsegno.open("other.db").close()

asyncio.run(main())
"""


def test_a_forked_process_is_refused_and_the_parent_goes_on(node: Node) -> None:
    with child(FORKS, str(node.port), node.password) as program:
        assert program.ends() == (0, "False []\nparent 44\n", "")


@awaited
async def test_files_are_text_that_others_read(node: Node) -> None:
    async with bot(node) as made:
        snapshot = await (await playing(made)).create_snapshot()
        await snapshot.save_to_file("a.json")
        members = json.loads(Path("a.json").read_text())
        assert list(members) == ["guild_id", "timestamp", "version", "data", "name", "checksum"]


@awaited
async def test_events_say_what_they_are_about(node: Node) -> None:
    told: dict[EventType, dict[str, Any]] = {}

    def heard(event: Event) -> None:
        told[event.type] = event.data

    for event_type in EventType:
        event_manager.on(event_type, heard)
    async with bot(node) as made:
        player = await playing(made, upcoming=0)
        assert told[EventType.PLAYER_CREATE] == {"guild_id": 1, "player": player}
        await until(lambda: EventType.TRACK_START in told)
        assert told[EventType.TRACK_START]["track"].identifier == "track-0"
        assert told[EventType.TRACK_START]["player"] is player
        snapshot = await player.create_snapshot(user="Ada")
        await player.load_snapshot(snapshot, user="Bob")
        restored = told[EventType.SNAPSHOT_RESTORED]
        assert (restored["snapshot"], restored["user"], restored["player"]) == (
            snapshot,
            "Bob",
            player,
        )
        snapshot_manager.max_snapshots_per_guild = 1
        for _ in range(3):
            snapshot_manager.save_snapshot(snapshot)
        assert told[EventType.SNAPSHOT_AUTO_CLEANUP]["deleted_count"] == 1
        assert len(snapshot_manager.list_snapshots(1)) == 1
        assert node.ask("raise", guild=1, event="voice_closed")
        await until(lambda: EventType.VOICE_DISCONNECTED in told)
        assert node.ask("drop_socket", session=str(player.session_id))
        await until(lambda: EventType.NODE_DISCONNECTED in told)
        await until(lambda: EventType.NODE_READY in told)
        assert told[EventType.NODE_READY]["node"] == "main"
        await player.destroy()
        assert told[EventType.PLAYER_DESTROY]["guild_id"] == 1


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
