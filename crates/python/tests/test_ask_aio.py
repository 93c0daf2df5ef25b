"""Requests in asyncio."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from children import child
from test_ask import HOLDER
from test_fork import in_a_child

import dalsegno
from dalsegno import LockedError, aio

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class Player(dalsegno.Attendant):
    """A program whose calls are awaited, in the loop."""

    def __init__(self) -> None:
        self.volume = 0
        self.threads: set[int] = set()

    async def asked(self, request: dalsegno.Request) -> object:
        await asyncio.sleep(0)
        self.threads.add(threading.get_ident())
        if request.verb == "broken":
            raise ValueError("on purpose")
        return self.volume if request.verb == "volume" else None

    async def load(self, request: dalsegno.Request, state: Any) -> None:
        await asyncio.sleep(0)
        self.volume = state["volume"]


def test_the_program_is_called_in_the_loop(store: Path) -> None:
    async def work() -> None:
        player = Player()
        async with (
            await aio.open(store, program="a bot") as bot,
            await aio.open(store) as other,
            bot.open_session("s") as session,
        ):
            for volume in (75, 30):
                await session.save({"volume": volume})
            async with bot.attend(player) as attending:
                assert attending.running and repr(attending) == "<dalsegno.aio.AsyncAttending>"
                answer = await other.ask("s", "rollback", {"steps": 1})
                assert answer["not_told"] is None and player.volume == 75
                assert (await other.ask("s", "volume"))["value"] == 75
                with pytest.raises(dalsegno.InvalidInputError, match="ValueError: on purpose"):
                    await other.ask("s", "broken")
                assert player.threads == {threading.get_ident()}
                with pytest.raises(dalsegno.InvalidInputError, match="wait for itself"):
                    bot.engine.close()
            assert repr(attending) == "<dalsegno.aio.AsyncAttending (stopped)>"
            with pytest.raises(LockedError):
                await other.ask("s", "volume")
            attending = await bot.attend(load=player.load)
            await other.ask("s", "save", state={"volume": 5})
            assert player.volume == 5
        assert not attending.running
        await attending.stop()

    asyncio.run(work())


def test_a_call_may_stop_or_close(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as bot, await aio.open(store) as other:
            await bot.open_session("s")

            async def asked(request: dalsegno.Request) -> object:
                if request.verb == "close":
                    await bot.close()
                else:
                    await attending.stop()
                return attending.running

            for verb in ("stop", "close"):
                attending = await bot.attend(asked=asked)
                assert (await other.ask("s", verb))["value"] is False

    asyncio.run(work())


def test_with_auto_save(store: Path) -> None:
    async def work() -> None:
        player = {"n": 3}

        async def state() -> object:
            await asyncio.sleep(0)
            return player

        def load(request: dalsegno.Request, found: Any) -> None:
            nonlocal player
            player = found

        async with (
            await aio.open(store) as bot,
            await aio.open(store) as other,
            bot.auto_save(every=0.01) as saver,
            bot.attend(load=load),
        ):
            await bot.save("s", {"n": 1}, name="n1")
            await bot.save("s", {"n": 2}, name="n2")
            await saver.register("s", state)
            for n in (1, 2) * 10:
                answer = await other.ask("s", "rollback", {"to": f"s@n{n}"})
                assert answer["not_told"] is None and player["n"] == n
                await saver.save_now()
                assert (await other.restore("s@latest"))["n"] == n

    asyncio.run(work())


def test_what_is_cancelled_is_withdrawn(store: Path) -> None:
    async def work() -> None:
        asked: list[str] = []
        go_on = asyncio.Event()
        busy = asyncio.Event()

        async def answer(request: dalsegno.Request) -> object:
            asked.append(request.verb)
            busy.set()
            await go_on.wait()
            return 1

        async with (
            await aio.open(store) as bot,
            await aio.open(store) as other,
            bot.open_session("s"),
            bot.attend(asked=answer),
        ):
            first = asyncio.create_task(other.ask("s", "first"))
            await busy.wait()
            second = asyncio.create_task(other.ask("s", "second", timeout=3600))
            await asyncio.sleep(0.1)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            # Its thread hears of it, and takes back what was asked.
            await other.close()
            go_on.set()
            assert (await first)["value"] == 1
            async with await aio.open(store) as third:
                assert (await third.ask("s", "third"))["value"] == 1
        assert asked == ["first", "third"]

    asyncio.run(work())


@forks
def test_the_loop_forks_in_the_middle_of_a_call(store: Path) -> None:
    async def work() -> None:
        with dalsegno.open(store) as bot:
            bot.open_session("s").save({"n": 1})
            bot.close_session("s")
        called, go_on = asyncio.Event(), asyncio.Event()

        async def asked(request: dalsegno.Request) -> object:
            called.set()
            await go_on.wait()
            return request.verb

        asks = (
            "import sys, dalsegno\n"
            "print(dalsegno.open(sys.argv[1]).ask('s', 'x')['value'], flush=True)\n"
        )
        async with (
            await aio.open(store) as bot_,
            bot_.open_session("s"),
            bot_.attend(asked=asked) as attending,
        ):
            with child(asks, store) as asker:
                await called.wait()
                for _ in range(3):
                    assert in_a_child(lambda: bot_.engine.restore("s@latest")) == "{'n': 1}"
                assert in_a_child(lambda: attending.running) == "False"
                go_on.set()
                assert await asyncio.to_thread(asker.says) == "x"

    asyncio.run(work())


def test_a_loop_that_ends_without_a_stop(store: Path) -> None:
    bot = dalsegno.open(store)
    bot.open_session("s")

    async def begin() -> aio.AsyncAttending:
        return await aio.AsyncEngine(bot).attend(asked=lambda request: 1)

    attending = asyncio.run(begin())
    with (
        dalsegno.open(store) as other,
        pytest.raises(dalsegno.StorageError, match="event loop does not run"),
    ):
        other.ask("s", "x")
    assert attending.running
    bot.close()
    assert not attending.running


def test_a_program_elsewhere(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as engine:
            with child(HOLDER, store) as holder:
                assert holder.says() == "ready"
                answers = await asyncio.gather(*(engine.ask("s", f"v{n}") for n in range(20)))
                assert [answer["value"] for answer in answers] == [f"v{n}" for n in range(20)]

    asyncio.run(work())
