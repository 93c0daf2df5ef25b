"""Players in a store that is encrypted, or asks who somebody is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, client, names, playing
from scripted import Node

import dalsegno
from dalsegno.sonora import AccessDeniedError, InvalidInputError, WrongKeyError

STORE = Path(".sonora_snapshots/store.db")


def private(path: str, text: str) -> str:
    """A file that only its owner can read."""
    Path(path).write_text(text)
    Path(path).chmod(0o600)
    return path


@awaited
async def test_a_key_opens_the_store_and_another_one_does_not(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other = dalsegno.generate_key(), dalsegno.generate_key()
    async with bot(node, key=key) as made:
        player = await playing(made)
        taken = await player.create_snapshot("party")
        assert key not in repr(made)
    with pytest.raises(dalsegno.WrongKeyError):
        dalsegno.open(STORE)
    assert b"sonora/1" not in STORE.read_bytes()

    async def refused(reason: str, **how: Any) -> None:
        before, said = STORE.read_bytes(), node.ask("requests")
        shut = client(node, **how)
        with pytest.raises(WrongKeyError, match=reason) as raised:
            await shut.start()
        assert isinstance(raised.value, dalsegno.WrongKeyError)
        assert key not in str(raised.value) and other not in str(raised.value)
        assert not shut.is_running and not shut.players
        assert STORE.read_bytes() == before and node.ask("requests") == said

    await refused("does not open", key=other)
    await refused("no key was given")
    file = private("key", key)
    with pytest.raises(InvalidInputError, match="not both"):
        await client(node, key=key, key_file=file).start()
    async with bot(node, key_file=file) as made:
        player = made.players[1]
        assert len(names(player)) == 4
        await player.reset_to_defaults()
        (kept,) = await player.snapshots.list_snapshots()
        await player.load_snapshot(kept)
        assert (kept._id, len(names(player))) == (taken._id, 4)
    monkeypatch.setenv("DALSEGNO_KEY", key)
    async with bot(node) as made:
        assert len(names(made.players[1])) == 4
    await refused("does not open", key=other)


@awaited
async def test_a_token_says_what_a_bot_may(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    with dalsegno.open(STORE.parent) as engine:
        engine.audit_on()
        admin = engine.add_principal("admin", "all=**")
    engine = dalsegno.open(STORE.parent, token=admin)
    token = engine.add_principal("bot", "create,delete=sonora/*")
    async with bot(node, token=token) as made:
        player = await playing(made)
        taken = await player.create_snapshot()
        engine.set_rules("bot", "read=sonora/*")
        player.volume = 30
        with pytest.raises(AccessDeniedError, match="bot may not do this") as raised:
            await player.create_snapshot("no")
        assert isinstance(raised.value, dalsegno.AccessDeniedError)
        assert [it._id for it in await player.snapshots.list_snapshots()] == [taken._id]
        (entry,) = engine.audit_log(outcome="denied", actions="save", limit=1)["entries"]
        assert (entry["who"], entry["sessions"]) == ("bot", ["sonora/1"])
        engine.set_rules("bot", "create,delete=sonora/*")
    # Without its token, nobody; the environment has it as well, and files have it.
    with pytest.raises(AccessDeniedError, match="give the token"):
        await client(node).start()
    file = private("token", token)
    with pytest.raises(InvalidInputError, match="not both"):
        await client(node, token=token, token_file=file).start()
    async with bot(node, token_file=file) as made:
        assert made.players[1].volume == 30
    monkeypatch.setenv("DALSEGNO_TOKEN_FILE", file)
    async with bot(node) as made:
        assert made.players[1].volume == 30
    assert engine.audit_log(outcome="denied", who="bot", actions="delete")["entries"] == []
    engine.close()
