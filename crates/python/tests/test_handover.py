"""Sessions that go from one program to the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from children import child
from test_types import check

import dalsegno
from dalsegno import ConflictError, Engine, InvalidInputError, LockedError, aio
from dalsegno.results import Peer


@pytest.fixture
def old(store: Path, engine: Engine) -> Iterator[Engine]:
    """The engine of the program that has the session."""
    with dalsegno.open(store, program="the old one") as old:
        old.open_session("s")
        old.save("s", {"n": 1})
        yield old


class Old(dalsegno.Attendant):
    """A program that hands over, and hears what becomes of it."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.over = threading.Event()

    def freeze(self, session: str, to: Peer) -> object:
        self.heard.append(("freeze", session, to["pid"]))
        return {"n": 2}

    def unfreeze(self, session: str, why: str) -> object:
        self.heard.append(("unfreeze", session, why))
        self.over.set()
        return None

    def handed_over(self, session: str, to: Peer) -> object:
        self.heard.append(("handed over", session, to["pid"]))
        self.over.set()
        return None


def test_a_session_is_handed_over(engine: Engine, old: Engine) -> None:
    program = Old()
    seen: list[Any] = []
    with old.attend(program):
        taken = engine.take_handover("s", check=seen.append)
        program.over.wait()
    check(taken, dalsegno.results.HandedOver)
    assert taken["by"] == {"program": "the old one", "pid": os.getpid()}
    assert taken["was_closed"] and taken["snapshot"] is not None
    assert seen == [{"n": 2}]
    assert program.heard == [("freeze", "s", os.getpid()), ("handed over", "s", os.getpid())]
    assert engine.open_sessions() == {"s": taken["epoch"]} and old.open_sessions() == {}
    with pytest.raises(ConflictError, match="handed over"):
        old.save("s", {"n": 0})
    engine.save("s", {"n": 3})
    with pytest.raises(InvalidInputError, match="already"):
        engine.take_handover("s")


def refuses(state: Any) -> object:
    raise ValueError("the gateway does not answer")


def test_what_is_not_accepted_goes_back(engine: Engine, old: Engine) -> None:
    program = Old()
    with old.attend(program):
        with pytest.raises(ValueError, match="gateway") as raised:
            engine.take_handover("s", check=refuses)
        assert "s went back to the old one" in raised.value.__notes__[0]
        program.over.wait()
        assert program.heard[-1][:2] == ("unfreeze", "s")
        assert "ValueError: the gateway does not answer" in program.heard[-1][2]
        old.save("s", {"n": 3})
        program.over.clear()
        with pytest.raises(ConflictError, match="not accepted"):
            engine.take_handover("s", check=lambda state: state["n"] > 5)
        program.over.wait()
        assert old.save("s", {"n": 4})["session"] == "s" and engine.open_sessions() == {}


def test_a_program_may_not_hand_over(engine: Engine, old: Engine) -> None:
    with pytest.raises(LockedError):
        engine.take_handover("s")
    with old.attend(), pytest.raises(InvalidInputError, match="does not hand s over"):
        engine.take_handover("s")

    def freeze(session: str, to: Peer) -> object:
        raise LockedError("in the middle of a song")

    with old.attend(freeze=freeze), pytest.raises(LockedError, match="of a song"):
        engine.take_handover("s")
    old.save("s", {"n": 5})


def test_a_state_says_what_is_gone_on_purpose(engine: Engine, old: Engine) -> None:
    engine.set_guard("s", "l")
    old.save("s", {"l": [1, 2]})
    with old.attend(freeze=lambda session, to: dalsegno.Meant({"l": []}, "clear")):
        taken = engine.take_handover("s")
    assert taken["snapshot"] is not None and taken["snapshot"]["intent"] == "clear"


def test_what_nobody_has_is_opened(engine: Engine) -> None:
    seen: list[Any] = []
    taken = engine.take_handover("new", check=seen.append)
    check(taken, dalsegno.results.HandedOver)
    assert (taken["by"], taken["was_closed"], taken["snapshot"]) == (None, True, None)
    assert seen == [None] and engine.open_sessions() == {"new": 1}


def test_a_check_may_use_the_engine(engine: Engine, old: Engine) -> None:
    def look(state: Any) -> None:
        assert engine.restore("s@latest") == state == {"n": 2}

    with old.attend(Old()):
        engine.take_handover("s", check=look)


BOT = """
import sys, threading, dalsegno
engine = dalsegno.open(sys.argv[1], program=sys.argv[2])
state = {"n": 0, "by": []}
over = threading.Event()
def load(found):
    global state
    state = found
    if sys.argv[3] == "dies":
        print("has it", flush=True)
        sys.stdin.readline()
def handed_over(session, to):
    print("handed over to", to["program"], flush=True)
    over.set()
def unfreeze(session, why):
    print("goes on", flush=True)
with (
    engine.auto_save(every=0.02) as saver,
    engine.attend(
        freeze=lambda session, to: state, handed_over=handed_over, unfreeze=unfreeze
    ),
):
    if sys.argv[3] != "first":
        engine.take_handover("s", check=load)
    state["by"].append(sys.argv[2])
    saver.register("s", lambda: state)
    saver.save_now()
    print("ready", state["by"], flush=True)
    for line in sys.stdin:
        state["n"] = int(line)
        print("set", flush=True)
    over.wait()
    # Nothing of it is saved any more, by the end of the block neither.
    state = {"n": -1}
"""


def test_from_process_to_process(engine: Engine, store: Path) -> None:
    with child(BOT, store, "a", "first") as a:
        assert a.says() == "ready ['a']"
        a.tell("7")
        assert a.says() == "set"
        # What it had not saved yet comes with it.
        with child(BOT, store, "b", "second") as b:
            assert b.says() == "ready ['a', 'b']"
            assert a.says() == "handed over to b"
            assert a.ends() == (0, "", "")
            assert engine.restore("s@latest") == {"n": 7, "by": ["a", "b"]}
            assert engine.holders()[0]["pid"] == b.process.pid
            b.process.kill()
    recovered = engine.recover()
    assert [one["session"] for one in recovered] == ["s"]


def test_the_new_one_is_killed_before_it_is_ready(engine: Engine, store: Path) -> None:
    with child(BOT, store, "a", "first") as a, contextlib.ExitStack() as stack:
        assert a.says() == "ready ['a']"
        b = stack.enter_context(child(BOT, store, "b", "dies"))
        assert b.says() == "has it"
        b.process.send_signal(signal.SIGKILL)
        assert a.says() == "goes on"
        a.tell("8")
        assert a.says() == "set"
        with child(BOT, store, "c", "third") as c:
            assert c.says() == "ready ['a', 'c']"
            assert a.says() == "handed over to c"
    assert engine.restore("s@latest")["n"] == 8


def test_asyncio(engine: Engine, store: Path) -> None:
    async def work() -> None:
        over, back = asyncio.Event(), asyncio.Event()
        here = threading.get_ident()

        async def freeze(session: str, to: Peer) -> object:
            await asyncio.sleep(0)
            assert threading.get_ident() == here
            return {"n": 2}

        async def look(state: Any) -> bool:
            await asyncio.sleep(0)
            assert threading.get_ident() == here
            return bool(state["n"] == accepted)

        async with (
            await aio.open(store, program="the old one") as old,
            await aio.open(store) as new,
            old.attend(
                freeze=freeze,
                handed_over=lambda session, to: over.set(),
                unfreeze=lambda session, why: back.set(),
            ),
        ):
            await old.open_session("s")
            accepted = 5
            with pytest.raises(ConflictError, match="not accepted"):
                await new.take_handover("s", check=look)
            await back.wait()
            await old.save("s", {"n": 3})
            accepted = 2
            taken = await new.take_handover("s", check=look)
            assert taken["by"] is not None
            await over.wait()
            assert await new.open_sessions() == {"s": taken["epoch"]}

    asyncio.run(work())
