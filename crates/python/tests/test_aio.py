"""The engine for asyncio."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

import dalsegno
from dalsegno import Engine, aio


def go(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work, debug=False)


def test_the_twins_have_the_same_names_and_parameters() -> None:
    def public(of: type) -> dict[str, Any]:
        return {name: getattr(of, name) for name in dir(of) if not name.startswith("_")}

    plain, twins = public(Engine), public(aio.AsyncEngine)
    assert set(plain) - set(twins) == {"read_only"} and set(twins) - set(plain) == {"engine"}
    for name, verb in plain.items():
        if not inspect.isfunction(verb):
            continue
        ours, theirs = inspect.signature(verb), inspect.signature(twins[name])
        assert list(ours.parameters.values()) == list(theirs.parameters.values()), name
        assert twins[name].__doc__
        awaited = inspect.iscoroutinefunction(twins[name]) or inspect.isasyncgenfunction(
            twins[name]
        )
        # Those give at once what is awaited, entered, or gone through.
        at_once = {"submit", "submit_json", "submit_many", "subscribe", "follow"}
        at_once |= {"open_session", "take_over", "auto_save", "attend", "scrub"}
        assert awaited or name in at_once, name


def test_the_verbs(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as engine:
            first = await engine.save("s", {"n": 1}, name="one")
            second = await engine.save_json("s", b'{"n": 2}')
            assert await engine.restore(first) == {"n": 1}
            assert [s["id"] async for s in engine.list("s")] == [second["id"], first["id"]]
            assert [s["id"] async for s in engine.list(limit=1)] == [second["id"]]
            assert (await engine.page(limit=1))["next"] is not None
            assert (await engine.rollback("s", dry_run=True))["changes"]
            assert (await engine.rollback("s"))["head"] is not None
            await engine.undo("s")
            await engine.redo("s")
            assert await engine.restore("s@latest", component="n") == 1
            await engine.put_back(second)
            assert (await engine.cleanup(keep_last=1, dry_run=True))["deleted"] > 0
            assert (await engine.verify())["damage"] == []
            with pytest.raises(dalsegno.NotFoundError):
                await engine.info("nosuch")
            with pytest.raises(dalsegno.NotFoundError):
                _ = [s async for s in engine.list("nosuch")]
            with pytest.raises(dalsegno.InvalidInputError, match="nan"):
                await engine.save("s", float("nan"))
            assert engine.path == store
        assert engine.closed and "(closed)" in repr(engine)

    go(work())


def test_a_thousand_saves_at_once(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as engine:
            saves = [engine.save(f"s/{n}", {"n": n}) for n in range(1000)]
            saved = await asyncio.gather(*saves)
            assert [s["session"] for s in saved] == [f"s/{n}" for n in range(1000)]
            some = await engine.save_many([("a", {}), ("b", {})])
            assert [s["session"] for s in some] == ["a", "b"]

    go(work())


def test_the_state_is_taken_when_it_is_submitted(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as engine:
            state = {"n": 1}
            ticket = engine.submit("s", state)
            state["n"] = 2
            saved = await ticket
            assert saved == await ticket.result() and ticket.done()
            assert await engine.restore(saved) == {"n": 1}

    go(work())


HOLDER = (
    "import sqlite3, sys\n"
    "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "connection.execute('BEGIN IMMEDIATE')\n"
    "print('held', flush=True)\n"
    "sys.stdin.readline()\n"
    "connection.execute('ROLLBACK')\n"
)


def test_the_loop_goes_on_while_a_save_waits_and_a_cancelled_one_is_whole(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store, busy_timeout=600) as engine:
            await engine.save("s", {"n": 1})
            command = [sys.executable, "-c", HOLDER, str(store)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
                assert holder.stdin is not None and holder.stdout is not None
                assert holder.stdout.readline() == b"held\n"
                cancelled = asyncio.create_task(engine.save("s", {"n": 2}))
                waits = asyncio.create_task(engine.save("t", {"n": 3}))
                # Only a loop that goes on comes here while both wait.
                for _ in range(100):
                    await asyncio.sleep(0)
                assert not cancelled.done() and not waits.done()
                cancelled.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await cancelled
                assert await engine.restore("s@latest") == {"n": 1}
                holder.stdin.write(b"go on\n")
                holder.stdin.flush()
                assert (await waits)["session"] == "t"
            await engine.flush()
            assert await engine.restore("s@latest") == {"n": 2}

    go(work())


def test_loops_one_after_the_other_and_the_plain_engine(store: Path, engine: Engine) -> None:
    twin = aio.AsyncEngine(engine)

    async def work() -> None:
        await twin.save("s", {})

    go(work())
    go(work())
    assert len(list(engine.list("s"))) == 2
    assert twin.engine is engine
