"""Bots that are killed, that end, and that are forked."""

from __future__ import annotations

from bots import awaited, bot, names, playing
from children import child
from scripted import Node
from scripted import node as another_node

import dalsegno
from dalsegno.sonora import (
    VoiceServer,
)

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
