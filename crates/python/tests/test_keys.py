"""Encrypted stores: what opens them, and erasing what is in them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import dalsegno


def test_a_new_store_is_encrypted_with_the_key_it_is_made_with(tmp_path: Path) -> None:
    path, key = tmp_path / "store.db", dalsegno.generate_key()
    with dalsegno.open(path, key=key) as engine:
        engine.save("chat/zephyrine", {"messages": ["quixotry"]})
        assert engine.encrypted
    assert b"zephyrine" not in path.read_bytes() and b"quixotry" not in path.read_bytes()
    with pytest.raises(dalsegno.WrongKeyError, match="no key was given"):
        dalsegno.open(path)
    with pytest.raises(dalsegno.WrongKeyError, match="does not open"):
        dalsegno.open(path, key=dalsegno.generate_key())
    file = tmp_path / "key"
    file.write_text(key)
    file.chmod(0o644)
    with pytest.raises(dalsegno.InvalidInputError, match="chmod 600"):
        dalsegno.open(path, key_file=file)
    file.chmod(0o600)
    with dalsegno.open(path, key_file=file) as engine:
        assert engine.restore("chat/zephyrine@latest") == {"messages": ["quixotry"]}
    with pytest.raises(dalsegno.InvalidInputError, match="not both"):
        dalsegno.open(path, key=key, key_file=file)


def test_the_environment_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, key = tmp_path / "store.db", dalsegno.generate_key()
    monkeypatch.setenv("DALSEGNO_KEY", key)
    dalsegno.open(path).close()
    with dalsegno.open(path, key=key) as engine:
        assert engine.encrypted
    monkeypatch.setenv("DALSEGNO_KEY", "")
    with pytest.raises(dalsegno.WrongKeyError):
        dalsegno.open(path)
    file = tmp_path / "key"
    file.write_text(key)
    file.chmod(0o600)
    monkeypatch.setenv("DALSEGNO_KEY_FILE", str(file))
    dalsegno.open(path).close()


def test_on_and_off(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with dalsegno.open(path) as engine:
        engine.save("s", {"word": "quixotry"})
    turned = dalsegno.encrypt(path, key="a passphrase", label="mine")
    assert turned["rows"] > 2
    assert b"quixotry" not in path.read_bytes()
    with pytest.raises(dalsegno.ConflictError):
        dalsegno.encrypt(path, key="a passphrase")
    with dalsegno.open(path, key="a passphrase") as engine:
        assert [slot["label"] for slot in engine.key_slots()] == ["mine"]
    dalsegno.decrypt(path, key="a passphrase")
    with dalsegno.open(path) as engine:
        assert engine.restore("s@latest") == {"word": "quixotry"} and engine.key_slots() == []


def test_keys_come_and_go(tmp_path: Path) -> None:
    path, first, second = tmp_path / "store.db", dalsegno.generate_key(), dalsegno.generate_key()
    with dalsegno.open(path, key=first) as engine:
        added = engine.add_key(second, label="the admin's")
        assert (added["id"], added["kind"]) == (2, "key")
        third = dalsegno.generate_key()
        assert engine.rotate_key(first, third)["id"] == 3
        with pytest.raises(dalsegno.WrongKeyError):
            dalsegno.open(path, key=first)
        engine.remove_key(2)
        with pytest.raises(dalsegno.ConflictError):
            engine.remove_key(3)
    dalsegno.open(path, key=third).close()


def test_an_erased_session_is_gone(tmp_path: Path) -> None:
    asyncio.run(erased(tmp_path / "store.db"))


async def erased(path: Path) -> None:
    async with await dalsegno.aio.open(path, key=dalsegno.generate_key()) as engine:
        await engine.save("chat/42", ["quixotry"])
        planned = await engine.erase_session("chat/42", dry_run=True)
        assert planned["snapshots"] == 1
        assert await engine.erase_session("chat/42") == planned
        assert await engine.is_erased("chat/42") and len(await engine.tombstones()) == 1
        with pytest.raises(dalsegno.NotFoundError):
            await engine.restore("chat/42@latest")
