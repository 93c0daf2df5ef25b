"""Sessions that are saved by themselves. What is waited for are events and answers, never time."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from children import child
from pydantic import BaseModel
from test_fork import in_a_child
from test_types import check

import dalsegno
from dalsegno import Engine, Event
from dalsegno.events import Subscription

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

LONG = 3600.0
SHORT = 0.02


def until(listener: Subscription, kind: str, session: str = "s") -> Event:
    while True:
        event = listener.wait(60)
        assert event is not None, f"there was no {kind}"
        if (event.kind, event.session) == (kind, session):
            return event


def test_sessions_are_saved_in_their_intervals(engine: Engine) -> None:
    state = {"n": 1}
    listener = engine.subscribe()
    with engine.auto_save(every=SHORT) as saver:
        opened = saver.register("s", lambda: state)
        check(opened, dalsegno.results.Opened)
        assert engine.open_sessions() == {"s": 1} and saver.sessions() == ["s"]
        for n in range(2, 5):
            until(listener, "auto_saved")
            state["n"] = n
        until(listener, "auto_saved")
        saved = list(engine.list("s"))
        assert engine.restore(saved[0]) == {"n": 4}
        assert all(snapshot["kind"] == "auto" for snapshot in saved)
        assert repr(saver) == "<dalsegno.AutoSaver of 1 sessions>"
    assert not saver.running and repr(saver).endswith("(stopped)>")
    assert engine.open_sessions() == {}
    saver.stop()
    for use in (saver.save_now, lambda: saver.touch("s"), lambda: saver.register("s", dict)):
        with pytest.raises(dalsegno.InvalidInputError, match="stopped"):
            use()


def test_what_does_not_change_leaves_nothing_behind(engine: Engine) -> None:
    with engine.auto_save(every=LONG) as saver:
        saver.register("s", lambda: {"n": 1})
        saver.register("all", lambda: {"n": 1}, min_change=0, every=timedelta(hours=2), jitter=0.5)
        saver.save_now()
        listener = engine.subscribe()
        for count in range(2, 5):
            for session in ("s", "all"):
                saver.touch(session)
            until(listener, "auto_saved", "all")
            assert len(list(engine.list("all"))) == count
        # What waits for nothing is done by now.
        saver.save_now("all")
        assert len(list(engine.list("s"))) == 1
    assert len(list(engine.list("s"))) == 2, "the last save does not ask"


def test_states_are_taken_in_any_form(engine: Engine) -> None:
    class Player(BaseModel):
        volume: int = 75

    class Strange:
        pass

    with engine.auto_save(every="1h") as saver:
        saver.register("model", Player)
        saver.register("list", lambda: [1, 2])
        saver.register("strange", lambda: {"it": Strange()}, default=lambda _: "known")
        saver.register("nothing", lambda: None)
        saver.save_now()
    assert engine.restore("model@latest") == {"volume": 75}
    assert engine.restore("list@latest") == [1, 2]
    assert engine.restore("strange@latest") == {"it": "known"}
    assert engine.sessions() == ["list", "model", "strange"]


def test_save_now_and_unregister(engine: Engine) -> None:
    state = {"n": 1}
    saver = engine.auto_save(every=LONG)
    saver.register("a", lambda: state)
    saver.register("b", lambda: state)
    saver.save_now("a")
    assert engine.sessions() == ["a", "b"] and list(engine.list("b")) == []
    with pytest.raises(dalsegno.NotFoundError, match="register it first"):
        saver.save_now("c")
    state["n"] = 2
    saver.unregister("a")
    assert engine.restore("a@latest") == {"n": 2}
    assert saver.sessions() == ["b"] and engine.open_sessions() == {"b": 1}
    engine.save("a", {"n": 3})
    saver.stop()
    assert engine.restore("a@latest") == {"n": 3} and engine.restore("b@latest") == {"n": 2}


def test_a_provider_that_fails_is_an_event_and_is_asked_again(engine: Engine) -> None:
    failing = threading.Event()
    failing.set()

    def provider() -> object:
        if failing.is_set():
            raise KeyError("queue")
        return {"n": 1}

    listener = engine.subscribe()
    saver = engine.auto_save(every=SHORT)
    saver.register("s", provider)
    saver.register("other", lambda: {"n": 2})
    event = until(listener, "auto_save_failed")
    assert event.detail == {"message": "the state of s could not be had: KeyError: 'queue'"}
    with pytest.raises(dalsegno.InvalidInputError, match="KeyError"):
        saver.save_now()
    assert engine.restore("other@latest") == {"n": 2}, "it does not hold up others"
    with pytest.raises(dalsegno.InvalidInputError, match="KeyError"):
        saver.unregister("s")
    failing.clear()
    until(listener, "auto_saved")
    assert engine.restore("s@latest") == {"n": 1}
    failing.set()
    with pytest.raises(dalsegno.InvalidInputError, match="KeyError"):
        saver.stop()
    assert [one["session"] for one in engine.left_open()] == ["s"], "it was not closed cleanly"
    assert not saver.running


def test_a_state_that_is_no_json_is_told(engine: Engine) -> None:
    listener = engine.subscribe()
    with pytest.raises(dalsegno.InvalidInputError), engine.auto_save(every=SHORT) as saver:
        saver.register("s", lambda: {"a": [float("nan")]})
        assert "at a[0]: nan has no form" in until(listener, "auto_save_failed").detail["message"]


def test_the_condition(engine: Engine) -> None:
    asked = threading.Event()
    saves = threading.Event()

    def when() -> bool:
        asked.set()
        return saves.is_set()

    listener = engine.subscribe()
    with engine.auto_save(every=SHORT) as saver:
        saver.register("s", lambda: {"n": 1}, when=when)
        assert asked.wait(60)
        assert list(engine.list("s")) == []
        saves.set()
        until(listener, "auto_saved")
        saves.clear()
        saver.save_now("s")


def test_old_automatic_snapshots_go(engine: Engine) -> None:
    n = 0

    def provider() -> object:
        nonlocal n
        n += 1
        return {"n": n}

    listener = engine.subscribe()
    with engine.auto_save(every=SHORT, keep={"keep_last": 3}) as saver:
        saver.register("s", provider)
        event = until(listener, "cleaned_up")
        assert event.detail["automatic"] is True and event.detail["deleted"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every is a time above 0"),
        ({"every": float("nan")}, "every is a time above 0"),
        ({"every": "soon"}, "soon"),
        ({"jitter": 2.0}, "jitter is a part"),
        ({"min_change": -1}, "min_change"),
        ({"keep": {"keep_lats": 1}}, "keep has no rule 'keep_lats'"),
    ],
)
def test_options_are_checked(engine: Engine, options: dict[str, Any], message: str) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match=message):
        engine.auto_save(**options)
    with engine.auto_save() as saver, pytest.raises(dalsegno.InvalidInputError, match=message):
        saver.register("s", dict, **options)
    assert engine.sessions() == []


HOLDS = """
import sys, dalsegno
with dalsegno.open(sys.argv[1], program="first") as engine, engine.auto_save(every=3600) as saver:
    saver.register("s", lambda: {"n": 1})
    saver.save_now()
    print("holds", flush=True)
    sys.stdin.readline()
    try:
        saver.save_now()
    except dalsegno.ConflictError as error:
        print("fenced", flush=True)
"""


def test_two_programs_on_one_session(engine: Engine, store: Path) -> None:
    with child(HOLDS, store) as first:
        assert first.says() == "holds"
        with engine.auto_save(every=LONG) as saver:
            with pytest.raises(dalsegno.LockedError, match="first"):
                saver.register("s", lambda: {"n": 2})
            assert saver.sessions() == []
            engine.take_over("s")
            saver.register("s", lambda: {"n": 2})
            saver.save_now()
            first.tell()
            assert first.says() == "fenced"
            # Its blocks end with the same error.
            status, _, complaints = first.ends()
            assert status == 1 and "ConflictError" in complaints
            assert engine.restore("s@latest") == {"n": 2}


def test_closing_the_engine_stops_it(store: Path) -> None:
    engine = dalsegno.open(store)
    saver = engine.auto_save(every=LONG)
    saver.register("s", lambda: {"n": 1})
    engine.close()
    assert not saver.running
    with dalsegno.open(store) as again:
        assert again.restore("s@latest") == {"n": 1} and again.left_open() == []


def test_one_that_nobody_keeps_goes_on(engine: Engine) -> None:
    listener = engine.subscribe()
    engine.auto_save(every=SHORT).register("s", lambda: {"n": 1})
    until(listener, "auto_saved")


@forks
def test_a_fork_in_the_middle_of_it(engine: Engine) -> None:
    n = 0
    asked = threading.Event()

    def provider() -> object:
        nonlocal n
        n += 1
        asked.set()
        # Calls of a provider are not held up by the fork that waits for it.
        return {"n": n, "calls": [len(engine.sessions()) for _ in range(100)]}

    saver = engine.auto_save(every=0.01)
    saver.register("s", provider, min_change=0)

    def work() -> object:
        assert not saver.running and saver.sessions() == []
        saver.stop()
        with pytest.raises(dalsegno.InvalidInputError, match="forked"):
            saver.save_now()
        with pytest.raises(dalsegno.LockedError):
            engine.save("s", {})
        with engine.auto_save(every=LONG) as own:
            own.register("child", lambda: {"n": 0})
        return engine.restore("child@latest")

    listener = engine.subscribe()
    for _ in range(10):
        asked.clear()
        assert asked.wait(60)
        began = time.monotonic()
        assert in_a_child(work) == "{'n': 0}"
        assert time.monotonic() - began < 9, "it was waited for in vain"
        while listener.wait(0):
            pass
        # It goes on by itself.
        until(listener, "auto_saved")
        saver.save_now()
        saved = engine.restore("s@latest")["n"]
        assert saved <= n
    assert engine.open_sessions() == {"s": 1}
    saver.stop()
    assert engine.restore("s@latest")["n"] == n
    assert engine.verify()["damage"] == []


@forks
def test_forks_while_others_wait_for_saves(engine: Engine) -> None:
    saver = engine.auto_save(every=LONG)
    saver.register("s", lambda: {"n": 1}, min_change=0)
    stop = threading.Event()
    done = 0

    def save() -> None:
        nonlocal done
        while not stop.is_set():
            saver.save_now()
            done += 1

    saves = threading.Thread(target=save)
    saves.start()
    try:
        for _ in range(10):
            assert in_a_child(lambda: engine.save("child", {})["session"]) == "'child'"
    finally:
        stop.set()
        saves.join()
    assert len(list(engine.list("s"))) == done > 0
    saver.stop()


def test_what_cannot_be_called_is_refused_at_once(engine: Engine) -> None:
    given: Any = 5
    with engine.auto_save(every=LONG) as saver:
        with pytest.raises(TypeError, match=r"the state of s; int cannot be called"):
            saver.register("s", given)
        with pytest.raises(TypeError, match=r"when is called .*; int cannot be called"):
            saver.register("s", dict, when=given)
        assert saver.sessions() == [] and engine.open_sessions() == {}


def test_what_is_not_registered_cannot_be_touched(engine: Engine) -> None:
    with engine.auto_save(every=LONG) as saver:
        for use in (saver.touch, saver.unregister):
            with pytest.raises(
                dalsegno.NotFoundError, match="nope is not saved by itself; register"
            ):
                use("nope")
        saver.register("s", dict)
        saver.touch("s")
        saver.unregister("s")
        with pytest.raises(dalsegno.NotFoundError, match="register it first"):
            saver.touch("s")
