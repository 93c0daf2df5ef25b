"""Sessions that are open in one program, and others that want them."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from children import child
from test_fork import in_a_child
from test_types import check

import dalsegno
from dalsegno import ConflictError, Engine, LockedError, aio

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

HOLDER = """
import sys, dalsegno
engine = dalsegno.open(sys.argv[1], program="the bot")
with engine.open_session("guild-1") as session:
    session.save({"n": 1}, name="first", tags=["a"])
    print("open", session.epoch, session.was_closed, flush=True)
    sys.stdin.readline()
    try:
        session.save({"n": 2})
        print("saved", flush=True)
    except dalsegno.ConflictError as error:
        print("fenced:", error, flush=True)
"""


def test_a_session_is_open_for_one_until_it_is_closed(engine: Engine, store: Path) -> None:
    with child(HOLDER, store) as holder:
        assert holder.says() == "open 1 True"
        with pytest.raises(LockedError, match=r"the bot \(process \d+\) has the session guild-1"):
            engine.save("guild-1", {"n": 9})
        with pytest.raises(LockedError, match="the bot"):
            engine.open_session("guild-1")
        (found,) = engine.holders()
        check(found, dalsegno.results.Holder)
        assert found["standing"] == "open" and found["program"] == "the bot"
        assert found["pid"] == holder.process.pid
        assert engine.recover() == engine.left_open() == []
        holder.tell()
        assert holder.says() == "saved"
        assert holder.ends() == (0, "", "")
    assert engine.holders()[0]["standing"] == "closed"
    session = engine.open_session("guild-1")
    assert (session.name, session.epoch, session.was_closed) == ("guild-1", 2, True)
    assert engine.open_sessions() == {"guild-1": 2}
    assert engine.info("guild-1@first")["tags"] == ["a"]
    assert engine.open_session("guild-1").epoch == 2, "opened again, nothing changes"
    session.close()
    session.close()
    assert engine.open_sessions() == {}
    assert repr(session) == "<dalsegno.Session 'guild-1' of epoch 2>"


def test_the_one_that_lost_it_cannot_save(engine: Engine, store: Path) -> None:
    with child(HOLDER, store) as holder:
        assert holder.says() == "open 1 True"
        session = engine.take_over("guild-1")
        assert (session.epoch, session.was_closed) == (2, False)
        session.save({"n": 5})
        holder.tell()
        said = holder.says()
        assert said.startswith("fenced:") and "took the session guild-1 over" in said
        status, _, complaints = holder.ends()
        # It left its block without an exception, and learns that closing did not close.
        assert status == 1 and "ConflictError" in complaints
    assert [engine.restore(s)["n"] for s in engine.list("guild-1")] == [5, 1]


def test_an_exception_closes_too_and_is_not_hidden(store: Path) -> None:
    with dalsegno.open(store) as engine, dalsegno.open(store) as other:
        with pytest.raises(ZeroDivisionError), engine.open_session("s") as session:
            session.save({"n": 1})
            _ = 1 / 0
        assert engine.open_sessions() == {} and other.left_open() == []
        with pytest.raises(ZeroDivisionError), engine.open_session("s"):
            other.take_over("s")
            _ = 1 / 0
        with pytest.raises(ConflictError), engine.open_session("t") as session:
            session.save({})
            other.take_over("t")
            assert other.open_sessions() == {"s": 3, "t": 2}


def test_a_store_that_is_closed_closes_its_sessions(store: Path) -> None:
    with dalsegno.open(store) as engine:
        engine.open_session("s").save({"n": 1})
    with dalsegno.open(store) as engine:
        assert engine.holders()[0]["standing"] == "closed"
        assert engine.left_open() == []


LEFT = """
import os, signal, sys, dalsegno
engine = dalsegno.open(sys.argv[1])
for n in range(3):
    engine.open_session(f"s/{n}").save({"n": n})
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_program_left_open_is_recovered(engine: Engine, store: Path) -> None:
    with child(LEFT, store) as killed:
        assert killed.says() == "ready"
        assert killed.ends()[0] == -signal.SIGKILL
    left = engine.left_open()
    check(left, list[dalsegno.results.LeftOpen])
    assert [one["session"] for one in left] == ["s/0", "s/1", "s/2"]
    recovered = engine.recover()
    check(recovered, list[dalsegno.results.Recovered])
    assert [one["session"] for one in recovered] == ["s/0", "s/1", "s/2"]
    assert all(one["program"] is not None and "error" not in one for one in recovered)
    assert all(engine.restore(one["snapshot"]) for one in recovered if one["snapshot"])
    assert list(engine.open_sessions()) == ["s/0", "s/1", "s/2"]
    assert engine.recover() == [], "once is enough"
    engine.close_session("s/0")
    assert list(engine.open_sessions()) == ["s/1", "s/2"]
    with dalsegno.open(store) as other, pytest.raises(LockedError):
        other.save("s/1", {})


def test_a_program_that_ends_by_itself_closes_its_sessions(engine: Engine, store: Path) -> None:
    program = (
        "import sys, dalsegno\n"
        "engine = dalsegno.open(sys.argv[1])\n"
        "engine.open_session('s').save({})\n"
    )
    with child(program, store) as ended:
        assert ended.ends() == (0, "", "")
    (found,) = engine.holders()
    assert found["standing"] == "closed"


@pytest.mark.parametrize("by_force", [False, True])
def test_asyncio(store: Path, by_force: bool) -> None:
    async def work() -> None:
        async with await aio.open(store, program="a bot") as engine:
            opening = engine.take_over if by_force else engine.open_session
            async with opening("s") as session:
                assert (session.name, session.epoch, session.was_closed) == ("s", 1, True)
                await session.save({"n": 1}, label="x")
                assert await engine.open_sessions() == {"s": 1}
                with dalsegno.open(store) as other, pytest.raises(LockedError, match="a bot"):
                    other.save("s", {})
            assert await engine.open_sessions() == {}
            session = await opening("s")
            assert session.epoch == 2 and repr(session).startswith("<dalsegno.aio.AsyncSession 's'")
            await session.close()
            with dalsegno.open(store) as other:
                with pytest.raises(ZeroDivisionError):
                    async with opening("s"):
                        other.take_over("s")
                        _ = 1 / 0
                with pytest.raises(ConflictError):
                    async with opening("t"):
                        other.take_over("t")
            assert [one["standing"] for one in await engine.holders()] == ["closed"]
            assert await engine.recover() == await engine.left_open() == []

    asyncio.run(work())


@forks
def test_what_is_open_stays_the_parents_over_a_fork(engine: Engine, store: Path) -> None:
    session = engine.open_session("s")
    session.save({"n": 1})

    def work() -> object:
        assert engine.open_sessions() == {}
        with pytest.raises(LockedError):
            engine.save("s", {"n": 9})
        return engine.save("t", {"n": 2})["session"]

    for _ in range(3):
        assert in_a_child(work) == "'t'"
        with dalsegno.open(store) as other:
            assert other.holders()[0]["standing"] == "open"
    assert engine.open_sessions() == {"s": 1}
    assert session.save({"n": 3})["epoch"] == 1
    assert in_a_child(engine.close) == "None"
    assert engine.open_sessions() == {"s": 1}
    session.close()
    assert "'s'" in in_a_child(lambda: engine.open_session("s").save({"n": 4})["session"])


@forks
def test_what_is_taken_over_during_a_fork_is_lost(store: Path) -> None:
    with dalsegno.open(store) as engine:
        session = engine.open_session("s")
        session.save({"n": 1})

        def work() -> object:
            return engine.take_over("s").save({"n": 2})["epoch"]

        assert in_a_child(work) == "2"
        with pytest.raises(ConflictError):
            session.save({"n": 3})
        assert engine.restore("s@latest") == {"n": 2}
        with pytest.raises(ConflictError):
            session.close()


@forks
def test_a_child_that_opened_a_session_leaves_it_when_it_ends(engine: Engine) -> None:
    # os._exit ends a program without closing anything.
    assert in_a_child(lambda: engine.open_session("s").save({})["session"]) == "'s'"
    assert [one["session"] for one in engine.recover()] == ["s"]
    assert os.getpid() == engine.holders()[0]["pid"]


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match="lease_ttl"):
        dalsegno.open(tmp_path / "a.db", lease_ttl=0.5)
    with pytest.raises(dalsegno.InvalidInputError, match="session"):
        dalsegno.open(tmp_path / "a.db").open_session("")


def test_what_was_closed_saves_nothing(engine: Engine) -> None:
    session = engine.open_session("guild-1")
    session.save({"n": 1})
    session.close()
    with pytest.raises(dalsegno.InvalidInputError, match=r"guild-1 was closed; open it again"):
        session.save({"n": 2})
    assert engine.restore("guild-1@latest") == {"n": 1}
    again = engine.open_session("guild-1")
    # The old one closes nothing of the new one.
    session.close()
    again.save({"n": 3})
    assert engine.open_sessions() == {"guild-1": again.epoch}
    with pytest.raises(dalsegno.InvalidInputError, match="was closed"):
        session.save({"n": 4})


def test_what_was_taken_over_and_closed_saves_nothing(engine: Engine, store: Path) -> None:
    session = engine.open_session("guild-1")
    with dalsegno.open(store) as other:
        other.take_over("guild-1").close()
    with pytest.raises(ConflictError):
        session.close()
    with pytest.raises(dalsegno.InvalidInputError, match="was closed"):
        session.save({"n": 1})


def test_what_was_closed_saves_nothing_in_asyncio(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as bot:
            async with bot.open_session("guild-1") as session:
                await session.save({"n": 1})
            with pytest.raises(dalsegno.InvalidInputError, match="was closed; open it again"):
                await session.save({"n": 2})
            assert await bot.restore("guild-1@latest") == {"n": 1}

    asyncio.run(work())
