"""Exports sealed as age files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import dalsegno
from dalsegno import Engine
from dalsegno.sonora import CredentialManager

# As age-keygen writes them.
MINE = """# public key: age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa
AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33
"""
TO_ME = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"
BEGIN = b"age-encryption.org/v1\n"


@pytest.fixture
def other(tmp_path: Path) -> tuple[str, str]:
    """Another identity, and its recipient."""
    key = CredentialManager(tmp_path / "other" / "key")
    key.encrypt_credential("")
    public, secret = Path(key.key_path).read_text().splitlines()
    return secret, public.split()[-1]


def test_whom_it_is_for_opens_it(engine: Engine, tmp_path: Path, other: tuple[str, str]) -> None:
    engine.save("chat/zephyrine", {"messages": ["quixotry"]})
    engine.save("chat/b", {"messages": []})
    path, their_key, to_them = tmp_path / "all.age", *other
    assert engine.export(path, recipients=[TO_ME, to_them]) == 2
    assert path.read_bytes().startswith(BEGIN) and b"quixotry" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    for nth, identities in enumerate((MINE, [their_key], [their_key, MINE])):
        with dalsegno.open(tmp_path / f"{nth}.db") as copy:
            assert len(copy.import_(path, identities=identities)["added"]) == 2
            assert copy.import_(path.read_bytes(), identities=identities)["present"] == 2
            assert copy.restore("chat/zephyrine@latest") == {"messages": ["quixotry"]}

    assert engine.export(path, session="chat/b", recipients=to_them) == 1
    with dalsegno.open(tmp_path / "no.db") as copy:
        with pytest.raises(dalsegno.WrongKeyError, match=r"all\.age: the key does not open it"):
            copy.import_(path, identities=MINE)
        with pytest.raises(dalsegno.WrongKeyError, match="identity"):
            copy.import_(path, passphrase="correct horse")
        assert copy.sessions() == []


def test_a_passphrase_opens_it(engine: Engine, tmp_path: Path) -> None:
    asyncio.run(by_passphrase(engine, tmp_path))


async def by_passphrase(engine: Engine, tmp_path: Path) -> None:
    engine.save("s", {"word": "quixotry"})
    path = tmp_path / "all.age"
    async with await dalsegno.aio.open(engine.path) as bot:
        assert await bot.export(path, passphrase="correct horse") == 1
    async with await dalsegno.aio.open(tmp_path / "copy.db") as copy:
        with pytest.raises(dalsegno.WrongKeyError, match="does not open"):
            await copy.import_(path, passphrase="wrong horse")
        with pytest.raises(dalsegno.WrongKeyError, match="passphrase"):
            await copy.import_(path, identities=MINE)
        assert len((await copy.import_(path, passphrase="correct horse"))["added"]) == 1
        assert await copy.restore("s@latest") == {"word": "quixotry"}


def test_without_a_key_it_says_what_to_give(engine: Engine, tmp_path: Path) -> None:
    engine.save("s", {})
    path = tmp_path / "all.age"
    engine.export(path, recipients=TO_ME)
    for source, name in ((path, r"all\.age"), (path.read_bytes(), "the export")):
        with pytest.raises(dalsegno.WrongKeyError, match=f"{name}: .* give identities or the pass"):
            engine.import_(source)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    with pytest.raises(dalsegno.DamagedError, match="another copy"):
        engine.import_(bytes(damaged), identities=MINE)


def test_nothing_is_written_in_clear_where_nobody_is_named(engine: Engine, tmp_path: Path) -> None:
    engine.save("s", {})
    path = tmp_path / "all.json"
    refused: list[tuple[dict[str, Any], str]] = [
        ({"recipients": []}, "nobody could open"),
        ({"recipients": ["age1nobody"]}, "age1nobody"),
        ({"passphrase": ""}, "empty passphrase"),
        ({"recipients": [TO_ME], "passphrase": "a"}, "not both"),
    ]
    for nobody, why in refused:
        with pytest.raises(dalsegno.InvalidInputError, match=why):
            engine.export(path, **nobody)
        assert not path.exists()
    engine.export(path)
    refused = [
        ({"identities": MINE}, "not sealed"),
        ({"passphrase": "a"}, "not sealed"),
        ({"identities": []}, "no age identity"),
        ({"identities": MINE, "passphrase": "a"}, "not both"),
    ]
    for key, why in refused:
        with pytest.raises(dalsegno.InvalidInputError, match=why):
            engine.import_(path, **key)


def test_no_secret_is_said(engine: Engine, tmp_path: Path) -> None:
    secret = MINE.split()[-1]
    engine.save("s", {})
    for wrong in (
        lambda: engine.export(tmp_path / "a", recipients=secret),
        lambda: engine.import_(tmp_path / "a", identities=secret[:-1]),
        lambda: engine.import_(tmp_path / "a", identities=[MINE, secret.lower() + "x"]),
    ):
        with pytest.raises(dalsegno.InvalidInputError) as raised:
            wrong()
        assert secret[20:40] not in repr(raised.value).upper()
