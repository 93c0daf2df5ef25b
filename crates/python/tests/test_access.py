"""Stores that ask who somebody is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dalsegno
from dalsegno import Engine


@pytest.fixture
def admin(store: Path) -> str:
    """The token of the first principal, of a store with two sessions and an audit log."""
    with dalsegno.open(store) as engine:
        for session in ("bot/1", "chat/1"):
            for turn in range(3):
                engine.save(session, {"turn": turn}, name=f"{session[:3]}-{turn}")
            engine.rollback(session)
        engine.audit_on()
        return engine.add_principal("admin", "all=**")


def token_of(store: Path, admin: str, name: str, rules: str | list[str]) -> str:
    """The token of a new principal."""
    with dalsegno.open(store, token=admin) as engine:
        return engine.add_principal(name, rules)


def test_principals_come_and_go(store: Path, admin: str) -> None:
    with dalsegno.open(store, token=admin) as engine:
        bot = engine.add_principal("bot", ["read,restore=bot/*", "create=bot/1"])
        assert bot.startswith("dalsegno-token-")
        with pytest.raises(dalsegno.ConflictError, match="already"):
            engine.add_principal("bot", "read=**")
        assert engine.has_principals()
        first, second = engine.principals()
        assert first["name"] == "admin" and first["rules"][0]["pattern"] == "**"
        assert second["name"] == "bot" and second["created_at"].tzinfo is not None
        assert second["rules"] == [
            {"permissions": ["read", "restore"], "pattern": "bot/*"},
            {"permissions": ["create"], "pattern": "bot/1"},
        ]
        engine.set_rules("bot", "read=chat/*")
        assert [it["pattern"] for it in engine.principals()[1]["rules"]] == ["chat/*"]
        with dalsegno.open(store, token=bot) as reader:
            assert reader.sessions() == ["chat/1"]
            other = engine.new_token("bot")
            with pytest.raises(dalsegno.AccessDeniedError, match="replaced or removed"):
                reader.sessions()
        with dalsegno.open(store, token=other) as reader:
            assert reader.sessions() == ["chat/1"]
            engine.remove_principal("bot")
            with pytest.raises(dalsegno.AccessDeniedError):
                reader.sessions()
        with pytest.raises(dalsegno.NotFoundError):
            engine.remove_principal("bot")
        engine.add_principal("reader", "read=**")
        with pytest.raises(dalsegno.ConflictError, match="only one"):
            engine.remove_principal("admin")
        with pytest.raises(dalsegno.ConflictError, match="only one"):
            engine.set_rules("admin", [])
        for bad in ("fly=**", "read", "=bot/*"):
            with pytest.raises(dalsegno.InvalidInputError):
                engine.set_rules("reader", bad)
    with dalsegno.open(store) as nobody:
        with pytest.raises(dalsegno.AccessDeniedError, match="give the token"):
            nobody.sessions()
        assert nobody.reset_access() == 2
        assert nobody.sessions() == ["bot/1", "chat/1"] and not nobody.has_principals()
        with pytest.raises(dalsegno.InvalidInputError, match="first principal"):
            nobody.add_principal("x", "read=**")


DENIED: dict[str, Callable[[Engine], object]] = {
    "save": lambda it: it.save("bot/1", {}),
    "save many": lambda it: it.save_many([("bot/1", {})], kind="auto"),
    "fork": lambda it: it.fork("cha-0", "bot/2"),
    "open": lambda it: it.open_session("bot/1"),
    "amend": lambda it: it.pin("cha-1"),
    "put back": lambda it: it.put_back("cha-0"),
    "roll back": lambda it: it.rollback("chat/1"),
    "undo": lambda it: it.undo("chat/1"),
    "delete": lambda it: it.delete("cha-1"),
    "erase": lambda it: it.erase_session("chat/1"),
    "guard": lambda it: it.set_guard("chat/*", "turns"),
    "principals": lambda it: it.principals(),
    "add a principal": lambda it: it.add_principal("me", "all=**"),
    "read the log": lambda it: it.audit_log(),
    "end the log": lambda it: it.audit_off(),
}
"""What takes more than to read."""


@pytest.mark.parametrize("verb", DENIED)
def test_what_is_denied_changes_nothing_and_stands_in_the_log(
    store: Path, admin: str, verb: str, tmp_path: Path
) -> None:
    token = token_of(store, admin, "reader", "read=**")
    with dalsegno.open(store, token=admin) as engine, dalsegno.open(store, token=token) as reader:

        def everything() -> object:
            engine.export(tmp_path / "all.json")
            text = (tmp_path / "all.json").read_bytes()
            return text, engine.trash(), engine.principals(), engine.guards(), engine.is_audited()

        before = everything()
        with pytest.raises(dalsegno.AccessDeniedError, match="reader may not") as refused:
            DENIED[verb](reader)
        assert refused.value.kind == "denied" and isinstance(refused.value, PermissionError)
        assert everything() == before
        (entry,) = engine.audit_log(limit=1)["entries"]
        assert (entry["who"], entry["outcome"]) == ("reader", "denied")


def test_what_may_not_be_read_is_not_shown(store: Path, admin: str) -> None:
    token = token_of(store, admin, "reader", "read=chat/*")
    with dalsegno.open(store, token=token) as engine:
        assert engine.sessions() == ["chat/1"]
        assert {it["session"] for it in engine.list()} == {"chat/1"}
        assert engine.stats()["sessions"] == 1
        for hidden in (lambda: engine.restore("bot-1"), lambda: engine.info("bot-1")):
            with pytest.raises(dalsegno.NotFoundError):
                hidden()
        for hidden in (lambda: engine.log("bot/1"), lambda: engine.restore("bot/1@latest")):
            with pytest.raises(dalsegno.AccessDeniedError):
                hidden()


def test_a_token_is_given_read_from_a_file_or_from_the_environment(
    store: Path, admin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(admin + "\n")
    file.chmod(0o644)
    with pytest.raises(dalsegno.InvalidInputError, match="chmod 600"):
        dalsegno.open(store, token_file=file)
    file.chmod(0o600)
    with pytest.raises(dalsegno.InvalidInputError, match="not both"):
        dalsegno.open(store, token=admin, token_file=file)

    def is_admin(**how: Any) -> bool:
        with dalsegno.open(store, **how) as engine:
            return engine.sessions() == ["bot/1", "chat/1"]

    assert is_admin(token_file=file)
    monkeypatch.setenv("DALSEGNO_TOKEN", admin)
    assert is_admin()
    monkeypatch.setenv("DALSEGNO_TOKEN", "")
    with pytest.raises(dalsegno.AccessDeniedError):
        is_admin()
    monkeypatch.setenv("DALSEGNO_TOKEN_FILE", str(file))
    assert is_admin()

    # Turning encryption on and off asks as well.
    monkeypatch.delenv("DALSEGNO_TOKEN_FILE")
    with pytest.raises(dalsegno.AccessDeniedError):
        dalsegno.encrypt(store, key="a passphrase")
    dalsegno.encrypt(store, key="a passphrase", token=admin)
    with pytest.raises(dalsegno.AccessDeniedError):
        dalsegno.decrypt(store, key="a passphrase")
    assert is_admin(key="a passphrase", token=admin)
    dalsegno.decrypt(store, key="a passphrase", token_file=file)
    assert is_admin(token=admin)


def test_a_token_is_never_shown(store: Path, admin: str, caplog: pytest.LogCaptureFixture) -> None:
    cut = admin[:-1]
    with pytest.raises(dalsegno.InvalidInputError) as refused:
        dalsegno.open(store, token=cut)
    secret = admin.removeprefix("dalsegno-token-")[:8]
    assert "cut off" in str(refused.value) and secret not in str(refused.value)
    with dalsegno.open(store, token=admin) as engine:
        reader = engine.add_principal("reader", "read=**")
        shown = f"{engine!r} {engine.principals()} {engine.audit_log()} {caplog.text}"
        assert secret not in shown and reader.removeprefix("dalsegno-token-")[:8] not in shown
        engine.new_token("admin")
    with dalsegno.open(store, token=admin) as engine:
        with pytest.raises(dalsegno.AccessDeniedError) as denied:
            engine.sessions()
        assert secret not in str(denied.value)


def test_the_same_for_asyncio(store: Path, admin: str) -> None:
    asyncio.run(waited(store, admin))


async def waited(store: Path, admin: str) -> None:
    async with await dalsegno.aio.open(store, token=admin) as engine:
        token = await engine.add_principal("reader", ["read=bot/*"])
        assert [it["name"] for it in await engine.principals()] == ["admin", "reader"]
        async with await dalsegno.aio.open(store, token=token) as reader:
            assert await reader.sessions() == ["bot/1"]
            with pytest.raises(dalsegno.AccessDeniedError):
                await reader.save("bot/1", {})
        page = await engine.audit_log(who="reader")
        assert [it["outcome"] for it in page["entries"]] == ["denied"]
        assert (await engine.audit_check(await engine.audit_head()))["compared"]
