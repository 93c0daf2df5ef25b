"""Threads: the interpreter goes on while the engine works."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dalsegno
from dalsegno import Engine


def test_other_threads_run_while_a_call_waits(store: Path) -> None:
    """The save waits for another process, which a thread of this one has to tell to go on."""
    program = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.readline()\n"
        "connection.execute('ROLLBACK')\n"
    )
    with dalsegno.open(store, busy_timeout=600) as engine:
        engine.save("s", {"n": 1})
        command = [sys.executable, "-c", program, str(store)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdin is not None and holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            # This one waits within SQLite.
            ticket = engine.submit("s", {"n": 2})
            waits = threading.Thread(target=ticket.result)
            waits.start()
            pinned = threading.Thread(target=lambda: engine.pin("s@latest"))
            pinned.start()
            # All the while, Python and readers go on.
            assert sum(range(100_000)) == 4999950000
            assert engine.restore("s@latest") == {"n": 1}
            assert not ticket.done() and pinned.is_alive()
            holder.stdin.write(b"go on\n")
            holder.stdin.flush()
            waits.join()
            pinned.join()
    assert ticket.done()


def test_many_threads_on_one_engine(engine: Engine) -> None:
    def work(number: int) -> list[int]:
        for n in range(20):
            engine.save(f"s/{number}", {"n": n})
        return [engine.restore(s)["n"] for s in engine.list(f"s/{number}", reverse=True)]

    with ThreadPoolExecutor(8) as pool:
        assert all(done == [*range(20)] for done in pool.map(work, range(16)))
    assert engine.verify()["damage"] == []


def test_closing_while_others_use_it_ends_well(store: Path) -> None:
    engine = dalsegno.open(store)
    begun = threading.Barrier(5)
    acknowledged: list[str] = []

    def work(number: int) -> None:
        begun.wait()
        try:
            for n in range(1000):
                acknowledged.append(engine.save(f"s/{number}", {"n": n})["id"])
        except dalsegno.InvalidInputError as error:
            assert "closed" in str(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    begun.wait()
    engine.save("last", {})
    engine.close()
    for thread in threads:
        thread.join()
    with dalsegno.open(store) as again:
        assert {s["id"] for s in again.list()} >= set(acknowledged)


def test_an_engine_that_nobody_has_any_more_is_closed(store: Path) -> None:
    engine = dalsegno.open(store)
    tickets = [engine.submit(f"s/{n}", {"n": n}) for n in range(50)]
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is None
    # Whoever drops it waits for what was submitted.
    assert all(ticket.done() for ticket in tickets)
    with dalsegno.open(store) as again:
        assert len(again.sessions()) == 50


def run(program: str, store: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, str(store)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_a_program_that_ends_without_closing_loses_nothing(store: Path) -> None:
    done = run(
        "import sys, dalsegno\n"
        "engine = dalsegno.open(sys.argv[1])\n"
        "tickets = [engine.submit(f's/{n}', {'n': n}) for n in range(200)]\n",
        store,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with dalsegno.open(store) as engine:
        assert len(engine.sessions()) == 200


def test_a_program_that_ends_by_an_error_loses_nothing(store: Path) -> None:
    done = run(
        "import sys, dalsegno\n"
        "engine = dalsegno.open(sys.argv[1])\n"
        "engine.submit('s', {'n': 1})\n"
        "engine.self = engine\n",
        store,
    )
    assert done.returncode == 1 and "AttributeError" in done.stderr
    with dalsegno.open(store) as engine:
        assert engine.restore("s@latest") == {"n": 1}


def test_a_program_whose_daemon_threads_still_save_ends(store: Path) -> None:
    done = run(
        "import sys, threading, dalsegno\n"
        "engine = dalsegno.open(sys.argv[1])\n"
        "begun = threading.Event()\n"
        "def work():\n"
        "    while True:\n"
        "        engine.save('s', {})\n"
        "        begun.set()\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "begun.wait()\n",
        store,
    )
    assert done.returncode == 0, done.stderr
    with dalsegno.open(store) as engine:
        assert engine.verify()["damage"] == []


def test_a_killed_program_keeps_what_was_acknowledged(store: Path) -> None:
    done = run(
        "import os, signal, sys, dalsegno\n"
        "engine = dalsegno.open(sys.argv[1])\n"
        "for n in range(20):\n"
        "    engine.save('s', {'n': n})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        store,
    )
    assert done.returncode == -9
    with dalsegno.open(store) as engine:
        assert engine.restore("s@latest") == {"n": 19}
        assert engine.verify()["damage"] == []
