"""What is told of players and snapshots, and to whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bots import awaited, bot, playing, until
from scripted import Node

from dalsegno.sonora import (
    Event,
    EventType,
    event_manager,
    snapshot_manager,
)


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
