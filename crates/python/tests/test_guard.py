"""Lists that lose no items without a word."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, cast

import pytest

import dalsegno
from dalsegno import Engine, Meant, aio


def chat(*numbers: int) -> dict[str, Any]:
    return {"messages": [{"n": n} for n in numbers]}


def test_what_was_lost_comes_back(engine: Engine) -> None:
    engine.set_guard("chat/*", "messages")
    engine.save("chat/1", chat(*range(1000)))
    engine.save("chat/1", chat(*range(50)))
    engine.save("chat/1", chat(*range(30), 2000))
    status = engine.guard_status("chat/1")
    assert status["status"] == "diverged"
    assert status["recommendation"] == "merge"
    assert status.get("newer") == 1
    assert [it["label"] for it in status["generations"]] == [
        "messages: 20 of 50 lost",
        "messages: 950 of 1000 lost",
    ]
    assert status["fullest"] == status["generations"][1]["id"]
    assert engine.guarded_sessions() == ["chat/1"]
    dry = engine.guard_restore("chat/1", dry_run=True)
    assert dry["report"] is None
    assert dry["returned"] == [{"list": "messages", "items": 970}]
    restored = engine.guard_restore("chat/1")
    assert restored["report"] is not None
    assert engine.restore("chat/1@latest") == chat(*range(1000), 2000)
    again = engine.guard_restore("chat/1")
    assert (again["plan"], again["report"], again["returned"]) == (None, None, [])
    engine.undo("chat/1")
    assert engine.restore("chat/1@latest") == chat(*range(30), 2000)


def test_what_is_meant_is_recorded_and_stays(engine: Engine) -> None:
    engine.set_guard("chat/*", "messages")
    engine.save("chat/1", chat(1, 2, 3))
    saved = engine.save("chat/1", chat(1), intent="undo")
    assert saved["intent"] == "undo"
    status = engine.guard_status("chat/1")
    assert (status["status"], status.get("intent")) == ("shrunk_on_purpose", "undo")
    assert engine.guard_restore("chat/1")["report"] is None
    engine.save_json("chat/1", json.dumps(chat()), intent="clear")
    assert engine.info("chat/1@latest")["intent"] == "clear"
    with pytest.raises(dalsegno.InvalidInputError, match="intent is empty"):
        engine.save("chat/1", chat(), intent=" ")


def test_where_rules_cannot_decide_both_are_kept(engine: Engine) -> None:
    engine.set_guard("chat/*", "messages")
    fuller = engine.save("chat/1", chat(1, 2, 3))
    engine.save("chat/1", chat(3, 2))
    with pytest.raises(dalsegno.ConflictError, match="another order"):
        engine.guard_restore("chat/1")
    assert engine.restore("chat/1@latest") == chat(3, 2)
    engine.save("chat/1", chat(2, 3))
    engine.guard_restore("chat/1", from_=fuller)
    assert engine.restore("chat/1@latest") == chat(1, 2, 3)


def test_guards_are_kept_listed_and_removed(engine: Engine) -> None:
    engine.set_guard(
        "bot/*",
        [{"list": "queue", "consumed": "front"}, "played"],
        generations=2,
        max_age=timedelta(days=7),
    )
    assert engine.guards() == [
        {
            "pattern": "bot/*",
            "lists": [{"list": "queue", "consumed": "front"}, {"list": "played"}],
            "generations": 2,
            "max_age": "7 days",
        }
    ]
    engine.save("bot/1", {"queue": [1, 2, 3], "played": []})
    engine.save("bot/1", {"queue": [2, 3], "played": [1]})
    assert engine.guard_status("bot/1")["status"] == "fine"
    engine.remove_guard("bot/*")
    assert engine.guards() == []
    with pytest.raises(dalsegno.NotFoundError, match="guard list"):
        engine.remove_guard("bot/*")
    with pytest.raises(dalsegno.NotFoundError):
        engine.guard_status("bot/1")
    for lists in ["a..b", {"list": "a", "bound": 3}, {"list": "a", "odd": 1}]:
        with pytest.raises(dalsegno.InvalidInputError):
            engine.set_guard("bot/*", cast("str", lists))


def test_a_provider_says_what_is_meant(engine: Engine) -> None:
    engine.set_guard("chat/*", "messages")
    messages = [1, 2, 3]
    said: list[str] = []

    def provider() -> object:
        state = chat(*messages)
        return Meant(state, said.pop()) if said else state

    with engine.auto_save(every=3600) as saver:
        saver.register("chat/1", provider)
        saver.save_now()
        messages.pop()
        said.append("undo")
        saver.save_now()
        assert engine.info("chat/1@latest")["intent"] == "undo"
        messages.pop()
        saver.save_now()
    status = engine.guard_status("chat/1")
    assert [it["label"] for it in status["generations"]] == ["messages: 1 of 2 lost"]
    engine.guard_restore("chat/1")
    assert engine.restore("chat/1@latest") == chat(1, 2)


def test_awaited(engine: Engine) -> None:
    async def program() -> None:
        async with await aio.open(engine.path) as twin:
            await twin.set_guard("chat/*", "messages")
            await twin.save("chat/1", chat(1, 2))
            await twin.save("chat/1", chat(), intent=None)
            assert (await twin.guard_status("chat/1"))["status"] == "shrunk_by_accident"
            await twin.guard_restore("chat/1")
            assert await twin.restore("chat/1@latest") == chat(1, 2)

    asyncio.run(program())
