"""Programs that ask the one that has a session open."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from children import Child, child
from test_fork import in_a_child
from test_types import check

import dalsegno
from dalsegno import Attendant, ConflictError, Engine, InvalidInputError, LockedError, Request

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def other(store: Path, engine: Engine) -> Iterator[Engine]:
    """Another program's engine on the same store."""
    with dalsegno.open(store, program="the other") as other:
        yield other


class Player(Attendant):
    """A program with a volume, which hears what it is told."""

    def __init__(self) -> None:
        self.volume = 0
        self.heard: list[Any] = []

    def asked(self, request: Request) -> object:
        self.heard.append(("asked", request.verb, request.by["program"]))
        match request.verb:
            case "volume":
                return {"volume": self.volume, "of": request.arguments}
            case "echo":
                return [request.state, request.state_text is not None]
            case "denied":
                raise dalsegno.AccessDeniedError("not you")
            case "broken":
                raise KeyError("no such")
            case "set":
                return {1, 2}
            case _:
                return None

    def load(self, request: Request, state: Any) -> object:
        self.heard.append(("load", request.verb, state))
        self.volume = state["volume"]
        return None

    def failed(self, request: Request, error: dalsegno.DalsegnoError) -> object:
        self.heard.append(("failed", request.verb, error.kind))
        return None


def saved(engine: Engine, *volumes: int) -> None:
    engine.open_session("s")
    for volume in volumes:
        engine.save("s", {"volume": volume})


def test_a_deed_is_carried_out_and_loaded(engine: Engine, other: Engine) -> None:
    saved(engine, 75, 30)
    player = Player()
    with engine.attend(player) as attending:
        assert attending.running and repr(attending) == "<dalsegno.Attending>"
        with pytest.raises(LockedError):
            other.rollback("s")
        answer = other.ask("s", "rollback", {"steps": 1})
        check(answer, dalsegno.results.Answer)
        assert answer["by"] is not None and answer["by"]["pid"] == os.getpid()
        assert answer["not_told"] is None
        assert answer["value"]["plan"]["verb"] == "rollback"
        assert player.volume == 75 and other.restore("s@latest") == {"volume": 75}
        assert player.heard == [
            ("asked", "rollback", "the other"),
            ("load", "rollback", {"volume": 75}),
        ]
        answer = other.ask("s", "save", {"name": "loud"}, state={"volume": 99})
        assert player.volume == 99 and other.info("s@loud")["id"] == answer["value"]["id"]
        other.ask("s", "undo")
        assert player.volume == 30
    assert repr(attending) == "<dalsegno.Attending (stopped)>"
    with pytest.raises(LockedError):
        other.ask("s", "rollback")


def test_a_program_answers_its_own_verbs(engine: Engine, other: Engine) -> None:
    saved(engine, 75)
    with engine.attend(Player()):
        answer = other.ask("s", "volume", ["a", 1.5, None])
        assert answer["value"] == {"volume": 0, "of": ["a", 1.5, None]}
        assert other.ask("s", "echo", state={"x": "é"})["value"] == [{"x": "é"}, True]
        assert other.ask("s", "echo")["value"] == [None, False]
        with pytest.raises(InvalidInputError, match="does not know the verb 'dance'"):
            other.ask("s", "dance")
    engine.close_session("s")
    with pytest.raises(dalsegno.NotFoundError, match="no other program"):
        other.ask("s", "volume")
    answer = other.ask("s", "save", state={"volume": 1})
    assert answer["by"] is None, "where nobody has it open, it is done here"


def test_what_a_handler_raises_is_told(
    engine: Engine, other: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    saved(engine, 75, 30)
    player = Player()
    with engine.attend(player):
        with pytest.raises(dalsegno.AccessDeniedError, match=r"\(process \d+\): not you"):
            other.ask("s", "denied")
        assert not caplog.records, "it says so itself"
        with pytest.raises(InvalidInputError, match="KeyError: 'no such'"):
            other.ask("s", "broken")
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert caplog.records[0].exc_info is not None
        with pytest.raises(InvalidInputError, match="set has no form in JSON"):
            other.ask("s", "set")
        with pytest.raises(dalsegno.NotFoundError):
            other.ask("s", "rollback", {"to": "s@-9"})
        assert player.heard[-1] == ("failed", "rollback", "not_found")
        assert other.ask("s", "volume")["value"]["volume"] == 0, "it goes on"

    def refuses(request: Request, state: Any) -> None:
        raise ValueError("too loud")

    with engine.attend(player, load=refuses):
        answer = other.ask("s", "rollback")
        assert answer["not_told"] is not None and "ValueError: too loud" in answer["not_told"]

    def keeps_its_own(request: Request, state: Any) -> bool:
        return False

    for load in (None, keeps_its_own):
        with engine.attend(load=load):
            answer = other.ask("s", "save", state={"volume": 4})
            assert answer["not_told"] is not None and "was not told" in answer["not_told"]
    assert player.volume == 0


def test_what_cannot_be_is_refused(engine: Engine, other: Engine) -> None:
    saved(engine, 75)

    async def later(request: Request) -> object:
        return 1

    with engine.attend(asked=later):
        with pytest.raises(ConflictError, match="attends to requests already"):
            engine.attend()
        with pytest.raises(InvalidInputError, match=r"dalsegno\.aio"):
            other.ask("s", "volume")
    with engine.attend(asked=lambda request: 2**70):
        with pytest.raises(InvalidInputError, match="the answer: a number"):
            other.ask("s", "x")
        with pytest.raises(InvalidInputError, match="the arguments: a number"):
            other.ask("s", "x", {"n": 2**70})
        with pytest.raises(InvalidInputError, match="timeout"):
            other.ask("s", "x", timeout=-1.0)
        with pytest.raises(InvalidInputError, match="set has no form"):
            other.ask("s", "x", {"n": {1}})
    with engine.attend(asked=lambda request: {1: {2}}, default=list):
        assert other.ask("s", "x", {"n": {1}}, default=list)["value"] == {"1": [2]}


def test_an_auto_save_does_not_go_on_top(engine: Engine, other: Engine) -> None:
    state = {"n": 3}
    lock = threading.Lock()

    def give() -> object:
        with lock:
            return dict(state)

    def load(request: Request, found: Any) -> None:
        with lock:
            state.update(found)

    saved(engine, 1)
    for n in (1, 2):
        engine.save("s", {"n": n}, name=f"n{n}")
    with engine.auto_save(every=0.01) as saver, engine.attend(load=load):
        saver.register("s", give)
        saver.save_now()
        for n in (1, 2) * 10:
            answer = other.ask("s", "rollback", {"to": f"s@n{n}"})
            assert answer["not_told"] is None
            with lock:
                assert state["n"] == n
            saver.save_now()
            since = [found for found in other.list("s", limit=10)]
            before = next(at for at, found in enumerate(since) if found["operation"])
            assert all(other.restore(found)["n"] == n for found in since[: before + 1])


def test_a_state_that_was_given_is_saved_before_what_is_asked_for(
    engine: Engine, other: Engine
) -> None:
    state = {"n": 3}
    given = threading.Event()
    answered = threading.Event()

    def give() -> object:
        found = dict(state)
        given.set()
        # Were it not waited for, the answer would come now, and the state on top of it.
        answered.wait(0.3)
        return found

    def load(request: Request, found: Any) -> None:
        state.update(found)

    saved(engine, 1)
    engine.save("s", {"n": 1}, name="one")
    with engine.auto_save(every=3600) as saver, engine.attend(load=load):
        saver.register("s", give)
        saver.touch("s")
        given.wait()
        other.ask("s", "rollback", {"to": "s@one"})
        answered.set()
        assert other.restore("s@latest") == {"n": 1} == state
        newest, safety, *_ = other.list("s")
        assert newest["operation"] is not None
        assert other.restore(safety) == {"n": 3}


def test_a_handler_may_use_the_engine_and_stop(engine: Engine, other: Engine) -> None:
    saved(engine, 75)

    def asked(request: Request) -> object:
        if request.verb == "save":
            engine.save("s", {"volume": 5}, label="before")
            return None
        attending.stop()
        return attending.running

    attending = engine.attend(asked=asked)
    other.ask("s", "save", state={"volume": 6})
    assert [other.restore(found)["volume"] for found in other.list("s")] == [6, 5, 75]
    assert other.ask("s", "end")["value"] is False
    attending.stop()
    with pytest.raises(LockedError):
        other.ask("s", "end")


def test_it_ends_with_the_engine_and_begins_anew(store: Path, other: Engine) -> None:
    with dalsegno.open(store) as bot:
        attending = bot.attend()
        saved(bot, 1)
        other.ask("s", "save", state={"volume": 2})
    assert not attending.running
    attending.stop()
    with dalsegno.open(store) as bot:
        bot.attend()
        saved(bot, 3)
        assert other.ask("s", "rollback")["by"] is not None


WAITS = """
import sys, dalsegno
engine = dalsegno.open(sys.argv[1])
while True:
    try:
        print("asks", flush=True)
        engine.ask("s", sys.argv[2], timeout=3600)
    except KeyboardInterrupt as interrupt:
        # Or it came before it was asked.
        if hasattr(interrupt, "__notes__"):
            print("interrupted:", *interrupt.__notes__, flush=True)
            break
"""


def interrupted(program: Child) -> str:
    while (line := program.says()) == "asks":
        program.process.send_signal(signal.SIGINT)
    return line


def test_ctrl_c_withdraws_what_was_not_taken(engine: Engine, store: Path) -> None:
    saved(engine, 1)
    busy, go_on = threading.Event(), threading.Event()

    def asked(request: Request) -> object:
        busy.set()
        return go_on.wait() and request.verb

    with engine.attend(asked=asked), child(WAITS, store, "first") as first:
        try:
            busy.wait()
            with child(WAITS, store, "second") as second:
                said = interrupted(second)
                assert "this was interrupted. The request is withdrawn" in said
            assert "has not answered yet: this was interrupted" in interrupted(first)
        finally:
            go_on.set()


BOT = """
import os, sys, threading, dalsegno
state = {"n": int(sys.argv[2])}
lock = threading.Lock()
engine = dalsegno.open(sys.argv[1], program="the bot")
for found in engine.recover():
    state = engine.restore(found["snapshot"])
def give():
    with lock:
        return dict(state)
def load(request, found):
    global state
    with lock:
        state = found
    if request.arguments == {"steps": 1} and sys.argv[3] == "dies":
        os.kill(os.getpid(), 9)
def asked(request):
    if request.verb == "n":
        with lock:
            return state["n"]
    if request.verb == "save" and sys.argv[3] == "dies":
        os.kill(os.getpid(), 9)
with engine.auto_save(every=0.02) as saver, engine.attend(asked=asked, load=load):
    saver.register("s", give)
    saver.save_now()
    print("ready", state["n"], flush=True)
    for line in sys.stdin:
        with lock:
            state["n"] = int(line)
        saver.save_now()
        print("saved", flush=True)
print("over", flush=True)
"""


def test_a_bot_goes_on_with_what_another_process_asked_for(engine: Engine, store: Path) -> None:
    with child(BOT, store, "1", "lives") as bot:
        assert bot.says() == "ready 1"
        for n in (2, 3):
            bot.tell(str(n))
            assert bot.says() == "saved"
        for n in (2, 1):
            answer = engine.ask("s", "rollback", {"steps": 1})
            assert answer["by"] == {"program": "the bot", "pid": bot.process.pid}
            assert answer["not_told"] is None
            assert engine.ask("s", "n")["value"] == n
        engine.ask("s", "save", state={"n": 8})
        assert engine.ask("s", "n")["value"] == 8
        assert bot.ends() == (0, "over\n", "")
    assert engine.restore("s@latest") == {"n": 8}
    assert engine.holders()[0]["standing"] == "closed"


def test_a_bot_that_is_killed_in_the_middle(engine: Engine, store: Path) -> None:
    with child(BOT, store, "1", "dies") as bot:
        assert bot.says() == "ready 1"
        bot.tell("2")
        assert bot.says() == "saved"
        # It dies after it was done, and before it answers.
        answer = engine.ask("s", "rollback", {"steps": 1})
        assert bot.ends()[0] == -signal.SIGKILL
        assert answer["by"] is not None and answer["not_told"] is not None
        assert engine.restore("s@latest") == {"n": 1}
        assert len([1 for found in engine.list("s") if found["operation"]]) == 1, "done once"
    with child(BOT, store, "9", "dies") as bot:
        assert bot.says() == "ready 1", "found again"
        # It dies before it was done; then it is done here.
        answer = engine.ask("s", "save", state={"n": 5})
        assert bot.ends()[0] == -signal.SIGKILL
        assert answer["by"] is None
    with child(BOT, store, "9", "lives") as bot:
        assert bot.says() == "ready 5"
        assert engine.ask("s", "n")["value"] == 5
    assert engine.verify()["damage"] == []


@forks
def test_a_fork_leaves_it_to_the_parent(engine: Engine, store: Path) -> None:
    saved(engine, 75, 30)
    player = Player()
    attending = engine.attend(player)

    def work() -> object:
        with dalsegno.open(store) as other:
            answer = other.ask("s", "rollback")
        attending.stop()
        by = answer["by"]
        assert by is not None
        return attending.running, by["pid"] == os.getppid(), answer["not_told"]

    assert in_a_child(work) == "(False, True, None)"
    assert player.volume == 75
    assert attending.running
    assert in_a_child(engine.close) == "None"
    with dalsegno.open(store) as other:
        assert other.ask("s", "volume")["value"]["volume"] == 75
    attending.stop()


@forks
def test_a_fork_in_the_middle_of_a_call(engine: Engine, store: Path) -> None:
    saved(engine, 75, 30)
    called, go_on = threading.Event(), threading.Event()
    player = Player()

    def asked(request: Request) -> object:
        called.set()
        go_on.wait()
        # And this very thread forks.
        player.heard.append(in_a_child(lambda: engine.restore("s@latest")))
        return None

    asking = (
        "import sys, dalsegno\n"
        "with dalsegno.open(sys.argv[1]) as engine:\n"
        "    print(engine.ask('s', 'rollback')['not_told'], flush=True)\n"
    )
    state = {"volume": 30}
    with (
        engine.auto_save(every=0.01) as saver,
        engine.attend(player, asked=asked),
        child(asking, store) as asker,
    ):
        saver.register("s", lambda: state)
        called.wait()
        for _ in range(3):
            # Nobody waits for the program, and nothing is saved by itself meanwhile.
            assert in_a_child(lambda: engine.restore("s@latest")) == "{'volume': 30}"
            with pytest.raises(LockedError, match="is being done"):
                saver.save_now()
        state["volume"] = 75
        go_on.set()
        assert asker.says() == "None"
        assert player.heard[:2] == ["{'volume': 30}", ("load", "rollback", {"volume": 75})]
        saver.save_now()
    assert engine.restore("s@latest") == {"volume": 75}
    assert engine.verify()["damage"] == []


HOLDER = """
import sys, dalsegno
engine = dalsegno.open(sys.argv[1])
engine.open_session("s").save({"n": 1})
def asked(request):
    if request.verb == "first":
        print("busy", flush=True)
        sys.stdin.readline()
    return request.verb
with engine.attend(asked=asked) as attending:
    print("ready", flush=True)
    while True:
        attending._attending.has_ended(3600)
"""


@forks
def test_who_asks_makes_way_for_a_fork(engine: Engine, store: Path) -> None:
    answers: list[Any] = []

    def ask(verb: str) -> None:
        answers.append(engine.ask("s", verb, timeout=3600)["value"])

    with child(HOLDER, store) as holder:
        assert holder.says() == "ready"
        with child(WAITS, store, "first"):
            assert holder.says() == "busy"
            asker = threading.Thread(target=ask, args=["second"])
            asker.start()
            for _ in range(5):
                # Its request is withdrawn, and asked for anew after that.
                assert in_a_child(lambda: engine.restore("s@latest")) == "{'n': 1}"
            holder.tell()
            asker.join()
    assert answers == ["second"]


ENDS = """
import sys, threading, dalsegno
engine = dalsegno.open(sys.argv[1])
engine.open_session("s").save({"n": 1})
asked = threading.Event()
def answer(request):
    asked.set()
    return sys.argv[2]
engine.attend(asked=answer)
"""


@pytest.mark.parametrize("end", ["", "raise SystemExit(0)", "asked.wait()"])
def test_the_end_of_the_program_waits_for_nobody(store: Path, engine: Engine, end: str) -> None:
    with child(ENDS + "print('ready', flush=True)\n" + end, store, "late") as program:
        assert program.says() == "ready"
        if "wait" in end:
            assert engine.ask("s", "x")["value"] == "late"
        assert program.ends() == (0, "", "")
    assert engine.holders()[0]["standing"] == "closed"


def test_an_end_does_not_wait_for_a_call_for_ever(store: Path, engine: Engine) -> None:
    stuck = """
dalsegno.attending.PATIENCE = 0.2
def stuck(request):
    asked.set()
    threading.Event().wait()
engine.close()
engine = dalsegno.open(sys.argv[1])
engine.open_session("s")
attending = engine.attend(asked=stuck)
print("ready", flush=True)
asked.wait()
"""
    with child(ENDS + stuck, store, "") as program:
        assert program.says() == "ready"
        with pytest.raises(dalsegno.DalsegnoError):
            engine.ask("s", "x")
        status, out, complaints = program.ends()
        assert (status, out) == (0, "")
        assert "did not end" in complaints
