"""Programs that save by themselves, and how they end: killed, told to end, by themselves, or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from children import Child, child

import dalsegno

SAVES = """
import json, sys, threading, dalsegno
engine = dalsegno.open(sys.argv[1])
for one in engine.recover():
    state = engine.restore(one["snapshot"]) if one["snapshot"] else None
    print("found", one["session"], state and state["n"], flush=True)
n = int(sys.argv[2])
lock = threading.Lock()
def provider(session):
    def state():
        with lock:
            return {"session": session, "n": n, "again": n}
    return state
saver = engine.auto_save(every=0.01)
for k in range(20):
    saver.register(f"s/{k}", provider(f"s/{k}"))
"""

RUNS = (
    SAVES
    + """
print("ready", flush=True)
while True:
    with lock:
        n += 1
    saver.save_now()
    print("saved", n, flush=True)
"""
)


def test_a_program_that_is_killed_finds_all_again(store: Path) -> None:
    rng = random.Random(5)
    acknowledged = 0
    for turn in range(6):
        with child(RUNS, store, str(acknowledged)) as program:
            found: dict[str, int] = {}
            while (line := program.says()) != "ready":
                _, session, n = line.split()
                assert session not in found
                found[session] = int(n)
            if turn:
                assert sorted(found) == sorted(f"s/{k}" for k in range(20))
                # What was acknowledged is there; what was on its way may be.
                assert all(n in (acknowledged, acknowledged + 1) for n in found.values())
            for _ in range(rng.randrange(2, 12)):
                acknowledged = int(program.says().split()[1])
            program.process.kill()
            out = program.ends()[1].split("\n")
            for line in out[:-1]:
                acknowledged = int(line.split()[1])
    with dalsegno.open(store) as engine:
        assert len(engine.left_open()) == 20
        recovered = engine.recover()
        assert [one["passed_over"] for one in recovered] == [[]] * 20
        states = [engine.restore(one["snapshot"]) for one in recovered if one["snapshot"]]
        assert all(state["n"] == state["again"] >= acknowledged for state in states)
        assert engine.verify()["damage"] == []


ENDS = (
    SAVES
    + """
saver.register("long", lambda: {"n": n}, every=3600)
import os, signal, time
"""
)


def last(store: Path, left: int = 0) -> int:
    with dalsegno.open(store) as engine:
        assert len(engine.left_open()) == left
        assert engine.verify()["damage"] == []
        return int(engine.restore("long@latest")["n"])


def test_the_end_of_the_program_saves_for_the_last_time(store: Path) -> None:
    with child(ENDS + "n = 7\n", store, "0") as program:
        assert program.ends() == (0, "", "")
    assert last(store) == 7


def test_so_does_an_end_by_an_exception(store: Path) -> None:
    with child(ENDS + "n = 8\nraise SystemExit('enough')\n", store, "0") as program:
        assert program.ends() == (1, "", "enough\n")
    assert last(store) == 8


def test_an_end_does_not_wait_for_a_provider_for_ever(store: Path) -> None:
    stuck = """
dalsegno.autosave.PATIENCE = 0.2
held = threading.Lock()
held.acquire()
called = threading.Event()
def stuck():
    called.set()
    held.acquire()
saver.register("stuck", stuck, every=0.01)
called.wait()
"""
    with child(ENDS + stuck, store, "0") as program:
        status, out, complaints = program.ends()
    assert (status, out) == (0, "")
    assert "could not save all sessions" in complaints
    with dalsegno.open(store) as engine:
        assert len(engine.left_open()) == 22, "none is said to be closed cleanly"


def told_to_end(program: Child, number: signal.Signals) -> tuple[int, str, str]:
    assert program.says() == "ready"
    program.process.send_signal(number)
    return program.ends()


def test_sigterm_saves_closes_and_ends(store: Path) -> None:
    waits = """
saver.save_on_signals()
n = 9
print("ready", flush=True)
while True:
    signal.pause()
"""
    with child(ENDS + waits, store, "0") as program:
        assert told_to_end(program, signal.SIGTERM) == (-signal.SIGTERM, "", "")
    assert last(store) == 9


def test_a_lock_that_the_main_thread_holds_holds_up_nothing(store: Path) -> None:
    waits = """
asked = threading.Event()
def guarded():
    asked.set()
    with lock:
        return {"n": n}
saver.register("long", guarded)
saver.save_on_signals()
with lock:
    print("ready", flush=True)
    asked.wait()
    n = 10
while True:
    signal.pause()
"""
    with child(ENDS + waits, store, "0") as program:
        assert told_to_end(program, signal.SIGTERM) == (-signal.SIGTERM, "", "")
    assert last(store) == 10


def test_the_programs_own_handler_comes_after_the_save(store: Path) -> None:
    handles = """
ended = []
def on_term(number, frame):
    ended.append(engine.restore("long@latest")["n"])
signal.signal(signal.SIGTERM, on_term)
saver.save_on_signals([signal.SIGTERM])
n = 11
print("ready", flush=True)
while not ended:
    time.sleep(0.01)
print(ended, saver.running, flush=True)
n = 12
sys.stdin.readline()
while len(ended) < 2:
    time.sleep(0.01)
saver.stop()
print(ended, signal.getsignal(signal.SIGTERM) is on_term, flush=True)
"""
    with child(ENDS + handles, store, "0") as program:
        assert program.says() == "ready"
        program.process.send_signal(signal.SIGTERM)
        assert program.says() == "[11] True"
        program.process.send_signal(signal.SIGTERM)
        program.tell()
        assert program.says() == "[11, 12] True"
        assert program.ends() == (0, "", "")
    assert last(store) == 12


def test_ctrl_c_raises_after_the_save(store: Path) -> None:
    waits = """
saver.save_on_signals()
n = 13
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
except KeyboardInterrupt:
    print(engine.restore("long@latest")["n"], flush=True)
    n = 14
"""
    with child(ENDS + waits, store, "0") as program:
        assert told_to_end(program, signal.SIGINT) == (0, "13\n", "")
    assert last(store) == 14


def test_an_impatient_signal_is_not_waited_for(store: Path) -> None:
    waits = """
held = threading.Lock()
held.acquire()
called = threading.Event()
def stuck():
    called.set()
    held.acquire()
saver.register("stuck", stuck, every=0.01)
called.wait()
saver.save_on_signals()
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""
    with child(ENDS + waits, store, "0") as program:
        assert program.says() == "ready"
        program.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            program.process.wait(0.5)
        program.process.send_signal(signal.SIGTERM)
        assert program.ends() == (-signal.SIGTERM, "", "")


def test_a_forked_child_ends_at_once(store: Path) -> None:
    forks = """
saver.save_on_signals()
child = os.fork()
if child == 0:
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
sys.stdin.readline()
os.kill(child, signal.SIGTERM)
print(os.WTERMSIG(os.waitpid(child, 0)[1]), flush=True)
n = 15
"""
    with child(ENDS + forks, store, "0") as program:
        assert program.says() == "ready"
        program.tell()
        assert program.says() == str(int(signal.SIGTERM))
        assert program.ends() == (0, "", "")
    assert last(store) == 15


def test_signals_are_listened_to_in_the_main_thread(store: Path) -> None:
    refused: list[Exception] = []
    with dalsegno.open(store) as engine, engine.auto_save() as saver:

        def listen() -> None:
            try:
                saver.save_on_signals()
            except dalsegno.InvalidInputError as error:
                refused.append(error)

        elsewhere = threading.Thread(target=listen)
        elsewhere.start()
        elsewhere.join()
        assert "main thread" in str(refused)
        before = signal.getsignal(signal.SIGTERM)
        saver.save_on_signals()
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
