"""The audit log: who did what, when, and what came of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import dalsegno
from dalsegno import Engine


def actions(engine: Engine, **query: Any) -> list[str]:
    """What the log tells of, the newest first."""
    page = engine.audit_log(**query)
    assert page["damage"] == []
    return [entry["action"] for entry in page["entries"]]


def test_the_log_is_turned_on_and_off(engine: Engine) -> None:
    assert not engine.is_audited() and actions(engine) == []
    for verb in (engine.audit_head, engine.audit_check):
        with pytest.raises(dalsegno.NotFoundError):
            verb()
    engine.audit_on()
    with pytest.raises(dalsegno.ConflictError):
        engine.audit_on()
    engine.save("s", {"turn": 1})
    assert engine.is_audited()
    engine.audit_off()
    engine.save("s", {"turn": 2})
    with pytest.raises(dalsegno.ConflictError):
        engine.audit_off()
    assert actions(engine) == ["audit_off", "save", "audit_on"] and not engine.is_audited()


def test_the_log_says_who_did_what_and_is_asked_for_it(store: Path) -> None:
    with dalsegno.open(store, program="first") as engine:
        engine.audit_on()
        saved = engine.save("bot/1", {"turn": 1})
        engine.save("bot/1", {"turn": 2})
    with dalsegno.open(store, program="second") as engine:
        engine.rollback("bot/1")
        engine.save("bot/2", {})
        entry = engine.audit_log(session="bot/1", actions="save")["entries"][1]
        assert (entry["who"], entry["outcome"], entry["sessions"]) == ("first", "done", ["bot/1"])
        assert (entry["count"], entry["snapshots"]) == (1, [saved["id"]])
        assert "behalf" not in entry and entry["at"].tzinfo is not None
        assert actions(engine, session="bot/1") == ["rollback", "save", "save"]
        assert actions(engine, who="second") == ["save", "rollback"]
        assert actions(engine, actions=["rollback", "audit_on"]) == ["rollback", "audit_on"]
        assert actions(engine, outcome="denied") == [] and len(actions(engine, outcome="done")) == 5
        assert len(actions(engine, limit=2)) == 2
        assert actions(engine, since=timedelta(hours=1)) and not actions(engine, since="2999-01-01")
        assert actions(engine, until=timedelta(hours=1)) == []
        newest = engine.audit_log(limit=1)["entries"][0]["at"]
        assert actions(engine, since=newest) == ["save"]
        assert actions(engine, until=newest) == ["rollback", "save", "save", "audit_on"]
        unknown: Any = "fly"
        for wrong in ({"actions": unknown}, {"outcome": unknown}):
            with pytest.raises(dalsegno.InvalidInputError, match="'fly' is no"):
                engine.audit_log(**wrong)


def test_the_log_says_for_whom_a_program_acts(engine: Engine) -> None:
    engine.audit_on()
    first = engine.save("s", {"n": 1}, behalf="ada")
    engine.save_json("s", "[]", behalf="bob")
    engine.submit("s", {"n": 2}, behalf="eve").result()
    engine.submit_json("s", "{}", behalf="kim").result()
    with engine.open_session("s") as session:
        session.save({"n": 3}, behalf="lou")
    engine.put_back(first, behalf="ian", dry_run=True)
    engine.put_back(first, behalf="mia")
    assert engine.restore("s@latest") == {"n": 1}

    async def waited() -> None:
        async with await dalsegno.aio.open(engine.path) as other:
            await other.save("s", {"n": 4}, behalf="ned")
            await other.put_back(first, behalf="oda")

    asyncio.run(waited())
    told = engine.audit_log(actions=["save", "restore"])["entries"][::-1]
    people = ["ada", "bob", "eve", "kim", "lou", "mia", "ned", "oda"]
    assert [it.get("behalf") for it in told] == people
    (mias,) = engine.audit_log(who="mia", actions="restore")["entries"]
    assert (mias["action"], mias["who"]) == ("restore", told[0]["who"])


def test_a_tick_of_auto_saves_is_one_row(engine: Engine) -> None:
    engine.audit_on()
    sessions = [f"bot/{number}" for number in range(20)]
    turns = dict.fromkeys(sessions, 0)

    def state_of(session: str) -> Callable[[], object]:
        return lambda: {"turn": turns[session]}

    with engine.auto_save(every=3600.0) as saver:
        for session in sessions:
            saver.register(session, state_of(session))
        saver.save_now()
        before = engine.audit_log(actions="auto_save", limit=1)["entries"][0]["number"]
        for session in sessions:
            turns[session] = 1
        saver.save_now()
        added = [
            it for it in engine.audit_log(actions="auto_save")["entries"] if it["number"] > before
        ]
        (tick,) = added
        assert tick["count"] == 20 and sorted(tick["sessions"]) == sorted(sessions)
        assert len(tick["snapshots"]) == 2


def test_a_head_that_was_kept_tells_what_was_cut_off_or_written_anew(
    engine: Engine, store: Path
) -> None:
    engine.audit_on()
    for turn in range(3):
        engine.save("s", {"turn": turn})
    early, head = engine.audit_head(), ""
    engine.save("s", {"turn": 3})
    head = engine.audit_head()
    check = engine.audit_check()
    assert check == {
        "rows": 5,
        "head": head,
        "keyed": False,
        "compared": False,
        "broken": None,
    }
    for kept in (early, head):
        check = engine.audit_check(kept)
        assert check["compared"] and check["broken"] is None
    engine.close()

    number, link = head.split(":")
    wrong = f"{number}:{'0' * len(link)}"
    later = f"{int(number) + 1}:{link}"
    with dalsegno.open(store) as again:
        broken = again.audit_check(wrong)["broken"]
        assert broken is not None and "written anew" in broken["message"]
        broken = again.audit_check(later)["broken"]
        assert broken is not None and "cut off" in broken["message"]
        with pytest.raises(dalsegno.InvalidInputError, match="no head of an audit log"):
            again.audit_check("nonsense")


def test_threads_are_in_the_log_in_one_order(engine: Engine) -> None:
    engine.audit_on()

    def save(session: str) -> None:
        for turn in range(5):
            engine.save(session, {"turn": turn})

    threads = [threading.Thread(target=save, args=(f"bot/{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = engine.audit_log(actions="save")["entries"]
    assert sum(entry["count"] for entry in entries) == 20
    check = engine.audit_check()
    assert check["broken"] is None and check["rows"] == len(entries) + 1
