"""Saving by itself in asyncio: states are asked for in the event loop."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from children import child
from test_fork import in_a_child

import dalsegno
from dalsegno import Event, aio

LONG = 3600.0
SHORT = 0.02


def go(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def until(listener: aio.AsyncSubscription, kind: str, session: str = "s") -> Event:
    async for event in listener:
        if (event.kind, event.session) == (kind, session):
            return event
    raise AssertionError(f"there was no {kind}")


def test_providers_are_called_in_the_loop(store: Path) -> None:
    async def work() -> None:
        loop_thread = threading.get_ident()
        state = {"a": 0, "b": 0}

        def provider() -> object:
            assert threading.get_ident() == loop_thread
            assert asyncio.get_running_loop()
            return state

        async def slowly() -> object:
            await asyncio.sleep(0)
            return {"slow": state["a"]}

        async with await aio.open(store) as engine:
            async with engine.auto_save(every=SHORT) as saver:
                listener = engine.subscribe()
                opened = await saver.register("s", provider)
                assert opened["was_closed"]
                await saver.register("slow", slowly, every=LONG)
                await saver.register("nothing", lambda: None)
                for n in range(2000):
                    # Half changed between these, and never seen so.
                    state["a"] = n
                    state["b"] = n
                    if n % 100 == 0:
                        await asyncio.sleep(0.001)
                await until(listener, "auto_saved")
                saver.touch("slow")
                await until(listener, "auto_saved", "slow")
                await saver.save_now()
                assert saver.sessions() == ["nothing", "s", "slow"]
                assert repr(saver) == "<dalsegno.aio.AsyncAutoSaver of 3 sessions>"
                async for snapshot in engine.list("s"):
                    saved = await engine.restore(snapshot)
                    assert saved["a"] == saved["b"]
                assert await engine.restore("slow@latest") == {"slow": 1999}
                await saver.unregister("slow")
                assert await engine.open_sessions() == {"s": 1, "nothing": 1}
                state["a"] = state["b"] = 7
            assert not saver.running
            assert repr(saver).endswith("(stopped)>")
            assert await engine.restore("s@latest") == {"a": 7, "b": 7}
            assert await engine.open_sessions() == {}

    go(work())


def test_failures_are_events(store: Path) -> None:
    async def work() -> None:
        failing = True

        async def provider() -> object:
            if failing:
                raise ValueError("not now")
            return {"n": 1}

        def at_once() -> object:
            raise KeyError("x")

        async with await aio.open(store) as engine:
            listener = engine.subscribe()
            saver = engine.auto_save(every=SHORT)
            await saver.register("s", provider)
            event = await until(listener, "auto_save_failed")
            assert event.detail["message"].endswith("ValueError: not now")
            failing = False
            await until(listener, "auto_saved")
            await saver.register("t", at_once)
            with pytest.raises(dalsegno.InvalidInputError, match="KeyError: 'x'"):
                await saver.save_now()
            with pytest.raises(dalsegno.InvalidInputError, match="KeyError: 'x'"):
                await saver.stop()
            assert [one["session"] for one in await engine.left_open()] == ["t"]

    go(work())


def test_many_sessions_leave_the_loop_free(store: Path) -> None:
    async def work() -> None:
        # Each takes some time, and all of them together far more than a slice.
        state = {"messages": [{"text": "x" * 50, "n": n} for n in range(300)]}
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        async with await aio.open(store) as engine, engine.auto_save(every=LONG) as saver:
            for n in range(300):
                await saver.register(f"s/{n}", lambda: state)
            task = asyncio.create_task(others())
            await asyncio.sleep(0)
            await saver.save_now()
            task.cancel()
            assert turns > 3
            newest = await engine.page(limit=500)
            assert len(newest["snapshots"]) == 300

    go(work())


def test_closing_the_engine_stops_it_and_never_in_the_loop_itself(store: Path) -> None:
    async def work() -> None:
        engine = await aio.open(store)
        saver = engine.auto_save(every=LONG)
        await saver.register("s", lambda: {"n": 1})
        with pytest.raises(dalsegno.InvalidInputError, match="await stop"):
            engine.engine.close()
        await engine.close()
        assert not saver.running
        with dalsegno.open(store) as again:
            assert again.restore("s@latest") == {"n": 1} and again.left_open() == []

    go(work())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_in_the_loop(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with await aio.open(store) as engine, engine.auto_save(every=0.01) as saver:
            n = 0

            def provider() -> object:
                nonlocal n
                n += 1
                return {"n": n}

            await saver.register("s", provider, min_change=0)
            loop = asyncio.get_running_loop()
            asked = threading.Event()
            call_soon = loop.call_soon_threadsafe

            def noted(*args: Any, **options: Any) -> asyncio.Handle:
                asked.set()
                return call_soon(*args, **options)

            monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
            for _ in range(5):
                waits = asyncio.create_task(saver.save_now())
                await asyncio.sleep(0)
                asked.clear()
                # The loop is asked for a state now, and forks before it can give it.
                assert asked.wait(60)
                began = time.monotonic()
                answer = in_a_child(lambda: engine.engine.save("child", {})["session"])
                assert answer == "'child'"
                assert time.monotonic() - began < 9, "it waited for itself"
                await waits
                assert (await engine.restore("s@latest"))["n"] <= n

    go(work())


PROGRAM = """
import asyncio, signal, sys
import dalsegno
from dalsegno import aio

n = 0

async def main():
    global n
    engine = await aio.open(sys.argv[1])
    saver = engine.auto_save(every=3600)
    async def provider():
        return {"n": n}
    await saver.register("s", provider)
    await saver.save_now()
    await body(engine, saver)
"""


def ends(store: Path, body: str, number: signal.Signals | None) -> tuple[int, str, str]:
    with child(PROGRAM + body + "\nasyncio.run(main())\n", store) as program:
        assert program.says() == "ready"
        if number is not None:
            program.process.send_signal(number)
        return program.ends()


def state(store: Path, left: int) -> Any:
    with dalsegno.open(store) as engine:
        assert len(engine.left_open()) == left
        return engine.restore("s@latest")


def test_sigterm_saves_closes_and_ends(store: Path) -> None:
    body = """
async def body(engine, saver):
    global n
    saver.save_on_signals()
    n = 1
    print("ready", flush=True)
    await asyncio.sleep(60)
"""
    assert ends(store, body, signal.SIGTERM) == (-signal.SIGTERM, "", "")
    assert state(store, 0) == {"n": 1}


def test_ctrl_c_cancels_after_the_save(store: Path) -> None:
    body = """
async def body(engine, saver):
    global n
    saver.save_on_signals()
    n = 2
    try:
        async with saver:
            print("ready", flush=True)
            await asyncio.sleep(60)
    finally:
        print([(await engine.restore(one))["n"] async for one in engine.list("s")], flush=True)
"""
    status, out, complaints = ends(store, body, signal.SIGINT)
    # By the signal, and at the end of the block.
    assert out == "[2, 2, 0]\n"
    assert "KeyboardInterrupt" in complaints and status != 0
    assert state(store, 0) == {"n": 2}


def test_a_loop_that_ends_first_leaves_it_to_recover(store: Path) -> None:
    body = """
async def body(engine, saver):
    global n
    n = 3
    print("ready", flush=True)
"""
    status, out, complaints = ends(store, body, None)
    assert (status, out) == (0, "")
    assert "the event loop does not run: await stop() before it ends" in complaints
    assert state(store, 1) == {"n": 0}


def test_a_program_that_is_killed_is_recovered(store: Path) -> None:
    body = """
async def body(engine, saver):
    global n
    for n in range(1, 1000):
        await saver.save_now()
        print("ready" if n == 10 else "", end="\\n" if n == 10 else "", flush=True)
    await asyncio.sleep(60)
"""
    with child(PROGRAM + body + "\nasyncio.run(main())\n", store) as program:
        assert program.says() == "ready"
        program.process.kill()
        program.ends()

    async def work() -> None:
        async with await aio.open(store) as engine:
            (one,) = await engine.recover()
            assert one["session"] == "s" and one["snapshot"] is not None
            assert (await engine.restore(one["snapshot"]))["n"] >= 10
            assert await engine.recover() == []
        assert (await aio.open(store)).path == store

    go(work())


def test_what_makes_no_sense_is_refused_at_once(store: Path) -> None:
    async def work() -> None:
        given: Any = 5
        async with (
            await aio.open(store) as engine,
            engine.auto_save(every=LONG) as saver,
        ):
            with pytest.raises(TypeError, match="int cannot be called"):
                await saver.register("s", given)
            with pytest.raises(dalsegno.NotFoundError, match="register it first"):
                saver.touch("nope")
            with pytest.raises(dalsegno.NotFoundError, match="register it first"):
                await saver.unregister("nope")
            assert saver.sessions() == []

    go(work())
