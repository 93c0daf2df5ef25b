"""Engines that live through forks."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import dalsegno
from dalsegno import Engine

# Forking with other threads is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_a_child(work: Callable[[], object]) -> str:
    """Forks, works, and gives what it answered or raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            try:
                answer = repr(work())
            except BaseException as error:
                answer = f"{type(error).__name__}: {error}"
            os.write(writing, answer.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        answer = answers.read()
    assert os.waitpid(child, 0)[1] == 0
    return answer


def test_the_child_opens_the_store_again(engine: Engine) -> None:
    engine.save("s", {"n": 1})

    def work() -> object:
        engine.save("s", {"n": 2})
        return engine.restore("s@-1"), engine.verify()["damage"]

    assert in_a_child(work) == "({'n': 1}, [])"
    assert engine.restore("s@latest") == {"n": 2}
    engine.save("s", {"n": 3})
    assert in_a_child(lambda: engine.restore("s@latest")) == "{'n': 3}"
    assert engine.verify()["damage"] == []


def test_parent_and_child_save_at_the_same_time(engine: Engine) -> None:
    engine.save("first", {})
    children: list[int] = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for n in range(25):
                    engine.save(f"child/{number}", {"n": n})
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    for n in range(25):
        engine.save("parent", {"n": n})
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    for session in ["parent", *(f"child/{number}" for number in range(4))]:
        assert [engine.restore(s)["n"] for s in engine.list(session, reverse=True)] == [*range(25)]
    assert engine.verify()["damage"] == []


def save_numbered(engine: Engine, number: int) -> str:
    return engine.save("child", {"n": number})["session"]


def test_a_fork_while_other_threads_save(engine: Engine) -> None:
    stop = threading.Event()
    saved: dict[int, int] = {}

    def save(number: int) -> None:
        while not stop.is_set():
            engine.save(f"thread/{number}", {"n": saved.get(number, 0) + 1})
            saved[number] = saved.get(number, 0) + 1

    threads = [threading.Thread(target=save, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(15):
            done = in_a_child(partial(save_numbered, engine, n))
            assert done == "'child'"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for number, count in saved.items():
        assert engine.restore(f"thread/{number}@latest") == {"n": count}
    assert engine.restore("child@latest") == {"n": 14}
    assert len(list(engine.list("child"))) == 15
    assert engine.verify()["damage"] == []


def test_tickets_are_answered_before_a_fork(engine: Engine) -> None:
    tickets = [engine.submit(f"s/{n}", {"n": n}) for n in range(50)]
    sessions = [f"s/{n}" for n in range(50)]
    answers = in_a_child(lambda: [ticket.result()["session"] for ticket in tickets])
    assert answers == repr(sessions)
    assert [ticket.result()["session"] for ticket in tickets] == sessions


def test_a_closed_engine_stays_closed(engine: Engine) -> None:
    engine.close()
    assert "closed" in in_a_child(engine.sessions)


def test_closing_in_the_child_leaves_the_parents_alone(engine: Engine) -> None:
    engine.save("s", {"n": 1})
    assert in_a_child(engine.close) == "None"
    engine.save("s", {"n": 2})
    assert engine.verify()["damage"] == []


def test_an_engine_dropped_in_the_child(store: Path) -> None:
    engine = dalsegno.open(store)
    engine.save("s", {"n": 1})
    holder = [engine]
    assert in_a_child(holder.clear) == "None"
    assert engine.save("s", {"n": 2})["session"] == "s"
    engine.close()


def test_a_child_of_a_child(engine: Engine) -> None:
    def work() -> object:
        engine.save("s", {"n": 1})
        return in_a_child(lambda: engine.restore("s@latest"))

    assert in_a_child(work) == repr("{'n': 1}")


def test_a_relative_path_is_found_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with dalsegno.open("store.db") as engine:
        engine.save("s", {"n": 1})
        monkeypatch.chdir("/")
        assert in_a_child(lambda: engine.restore("s@latest")) == "{'n': 1}"
        assert engine.restore("s@latest") == {"n": 1}


def save_in_a_worker(engine: Engine, number: int) -> str:
    return engine.save(f"worker/{number}", {"n": number})["session"]


inherited: list[Engine] = []


def save_inherited(number: int) -> str:
    return save_in_a_worker(inherited[0], number)


def test_multiprocessing(engine: Engine) -> None:
    engine.save("s", {})
    inherited.append(engine)
    try:
        with multiprocessing.get_context("fork").Pool(3) as pool:
            saved = pool.map(save_inherited, range(20))
    finally:
        inherited.clear()
    assert saved == [f"worker/{number}" for number in range(20)]
    assert set(saved) < set(engine.sessions())
    assert engine.verify()["damage"] == []


def test_a_subprocess_needs_no_closing(engine: Engine) -> None:
    engine.save("s", {})
    assert subprocess.run([sys.executable, "-c", "pass"], check=False).returncode == 0
    engine.save("s", {"n": 1})


FORKED_BEHIND_PYTHONS_BACK = """
import ctypes, os, sys, dalsegno
engine = dalsegno.open(sys.argv[1])
engine.save("s", {"n": 1})
child = ctypes.CDLL(None).fork()
if child == 0:
    for use in (lambda: engine.save("s", {"n": 2}), lambda: dalsegno.open(sys.argv[1]), engine.close):
        try:
            use()
            print("used", flush=True)
        except dalsegno.StorageError as error:
            print("refused:", "forked while a store was in use" in str(error), flush=True)
    del engine
    os._exit(0)
os.waitpid(child, 0)
engine.save("s", {"n": 3})
print(engine.restore("s@latest"), engine.verify()["damage"])
"""


def test_a_fork_that_python_does_not_know_of_is_refused_in_the_child(store: Path) -> None:
    program = [sys.executable, "-c", FORKED_BEHIND_PYTHONS_BACK, str(store)]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "refused: True",
        "refused: True",
        "used",
        "{'n': 3} []",
    ]
