"""What the audit log tells of players: who was denied, and for whom something was done."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import pytest
from bots import awaited, bot, playing
from scripted import Node

import dalsegno
from dalsegno.results import AuditEntry
from dalsegno.sonora import (
    Event,
    EventType,
    PermissionDeniedError,
    SecurityError,
    acting_as,
    event_manager,
    snapshot_manager,
)

STORE = ".sonora_snapshots"


def log(**query: Any) -> list[AuditEntry]:
    """What the audit log of the players' store says, the oldest first."""
    with dalsegno.open(STORE) as engine:
        page = engine.audit_log(**query)
        assert page["damage"] == []
        return page["entries"][::-1]


@pytest.fixture
def audited(node: Node) -> Node:
    """A node, and a store of players with an audit log."""
    with dalsegno.open(STORE) as engine:
        engine.audit_on()
    return node


@awaited
async def test_whoever_is_denied_stands_in_the_log(audited: Node) -> None:
    async with bot(audited) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot("good")
        player.snapshots.require_permission = True
        player.snapshots.allowed_users = ["ada"]
        with pytest.raises(SecurityError):
            await player.create_snapshot(user="stranger")
        with acting_as(12), pytest.raises(SecurityError):
            await player.load_snapshot(snapshot)
        with pytest.raises(SecurityError):
            await player.snapshots.clean_up(user="1")
        with pytest.raises(SecurityError):
            snapshot_manager.create_snapshot(player)
        denied = [(it.get("behalf"), it["action"], it["sessions"]) for it in log(outcome="denied")]
        assert denied == [
            ("stranger", "save", ["sonora/1"]),
            ("12", "restore", ["sonora/1"]),
            ("1", "delete", ["sonora/1"]),
            ("somebody unknown", "save", ["sonora/1"]),
        ]
        assert {it["who"] for it in log(outcome="denied")} == {"sonora"}


@awaited
async def test_what_is_done_for_somebody_says_for_whom(audited: Node) -> None:
    async with bot(audited) as made:
        player = await playing(made)
        taken = await player.create_snapshot(user="ada")
        with acting_as(7):
            named = await player.create_snapshot("party")
            await player.load_snapshot(taken)
            snapshot_manager.create_snapshot(player)
        await player.load_queue_snapshot(named, user="bob")
        file = await named.save_to_file("party.json")
        await player.load_snapshot(snapshot_manager.load_snapshot(file), user="eve")
        await player.create_snapshot()
        await player.load_snapshot(taken)

        said = [
            (it.get("behalf"), it["action"], it["snapshots"])
            for it in log(session="sonora/1", actions=["save", "restore"])
        ]
        first, party = [taken._id], [named._id]
        assert [it for it in said if it[1] == "restore"] == [
            ("7", "restore", first),
            ("bob", "restore", party),
            ("eve", "restore", []),
        ]
        saves = [it for it in said if it[1] == "save"]
        assert [it[0] for it in saves] == ["ada", "7", "7", None]
        assert [it[2] for it in saves[:2]] == [first, party]
        assert [it["action"] for it in log(who="bob")] == ["restore"]


@awaited
async def test_a_restore_that_failed_is_not_said_to_be_done(audited: Node) -> None:
    async with bot(audited) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot()
        snapshot.data = {"queue": "nonsense"}
        player.snapshots.enable_integrity_check = False
        with pytest.raises(ValueError):
            await player.load_snapshot(snapshot, user="ada")
        assert log(who="ada") == []


@awaited
async def test_what_cannot_be_written_hides_no_denial(
    audited: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot(audited) as made:
        player = await playing(made)
        snapshot = await player.create_snapshot()
        player.snapshots.require_permission = True

        def fails(*_: object) -> None:
            raise dalsegno.StorageError("the disk is full")

        class Full:
            """A store that cannot be written."""

            running = True
            denied = fails

        with monkeypatch.context() as patched:
            patched.setattr(player.snapshots, "_core", Full())
            with pytest.raises(PermissionDeniedError, match="ada may not") as refused:
                await player.create_snapshot(user="ada")
            assert refused.value.__context__ is None
        assert "could not be told of a denial" in caplog.text
        caplog.clear()
    # Nor does a store that is closed.
    with pytest.raises(PermissionDeniedError):
        await player.load_snapshot(snapshot, user="ada")
    assert [it for it in caplog.records if it.levelno >= logging.ERROR] == []


@awaited
async def test_a_log_that_waits_for_the_store_blocks_no_loop(
    audited: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot(audited) as made:
        player = await playing(made)
        player.snapshots.require_permission = True
        loop, entered = asyncio.get_running_loop(), asyncio.Event()
        goes_on, told = asyncio.Event(), list[object]()

        class Busy:
            """A store that another program writes to."""

            running = True

            def denied(self, *said: object) -> None:
                # Only the loop lets it go on.
                loop.call_soon_threadsafe(entered.set)
                asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(30)
                told.append(said)

        monkeypatch.setattr(player.snapshots, "_core", Busy())
        denied = asyncio.create_task(player.create_snapshot(user="ada"))
        await entered.wait()
        goes_on.set()
        with pytest.raises(PermissionDeniedError):
            await denied
        assert told == [(1, "save", "ada")]


@awaited
async def test_the_audit_handler_of_the_documents(node: Node) -> None:
    entries: list[dict[str, Any]] = []

    async def log_audit_event(**said: Any) -> None:
        entries.append(said)

    async with bot(node) as made:
        player = await playing(made)
        player.snapshots.require_permission = True
        player.snapshots.allowed_users = ["admin_user_id"]

        # As it stands there.
        @event_manager.on(EventType.SNAPSHOT_CREATED)
        async def audit_snapshot(event: Event) -> None:
            snapshot = event.data["snapshot"]
            user = event.data["user"]
            await log_audit_event(
                action="snapshot_created",
                resource=snapshot.name,
                user=user,
                details={"size": snapshot.size},
            )

        snapshot = await player.create_snapshot("party", user="admin_user_id")
        with contextlib.suppress(SecurityError):
            await player.create_snapshot("other", user="somebody")
        assert audit_snapshot.__name__ == "audit_snapshot"
        assert entries == [
            {
                "action": "snapshot_created",
                "resource": "party",
                "user": "admin_user_id",
                "details": {"size": snapshot.size},
            }
        ]
        assert snapshot.size > 0
