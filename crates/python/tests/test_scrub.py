"""A store is proved beside the program, round after round, and damage is told when it is found."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from test_fork import in_a_child

import dalsegno
from dalsegno import Engine, aio
from dalsegno.results import ScrubProgress

PATIENCE = 60.0
"""Nothing here takes so many seconds; what does hangs."""


SPOIL = '''
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1])
with connection:
    sql = """UPDATE record SET data = x'00' WHERE seq =
             (SELECT max(record.seq) FROM record JOIN session ON session = id WHERE name = ?)"""
    assert connection.execute(sql, (sys.argv[2],)).rowcount == 1
connection.close()
'''


def spoil(path: Path, session: str) -> None:
    """Changes the newest row of a session. In another process: a second SQLite in this one would drop the locks of the first."""
    subprocess.run([sys.executable, "-c", SPOIL, str(path), session], check=True, timeout=PATIENCE)


def saved(engine: Engine) -> None:
    for n in range(3):
        for volume in (n, 50):
            engine.save(f"bot/{n}", {"volume": volume, "queue": ["a track of some length"] * 40})


def seen(scrubbing: dalsegno.Scrubbing, rounds: int) -> ScrubProgress:
    """How far it is after so many more rounds."""
    before = scrubbing.progress()["rounds"]
    end = time.monotonic() + PATIENCE
    while (reached := scrubbing.wait(0.01))["rounds"] < before + rounds:
        assert not reached["ended"] and time.monotonic() < end, reached
    return reached


def test_an_intact_store_is_proved_once(engine: Engine) -> None:
    saved(engine)
    scrubbing = engine.scrub(rate=0, once=True)
    proved = scrubbing.wait()
    assert (proved["rounds"], proved["sessions"], proved["of"]) == (1, 3, 3)
    assert proved["damage"] == [] and proved["ended"] and proved["error"] is None
    assert proved["bytes"] > engine.path.stat().st_size
    assert not scrubbing.running and repr(scrubbing) == "<dalsegno.Scrubbing (stopped)>"
    assert scrubbing.stop() == scrubbing.progress() == proved


def test_damage_is_told_while_it_runs_and_once(engine: Engine) -> None:
    saved(engine)
    listener = engine.subscribe()
    with engine.scrub(rate=0) as scrubbing:
        assert seen(scrubbing, 2)["damage"] == []
        spoil(engine.path, "bot/1")
        first = listener.wait(PATIENCE)
        assert first is not None and first.kind == "corruption_detected"
        assert not scrubbing.progress()["ended"]
        found = seen(scrubbing, 3)["damage"]
        (damage,) = (it for it in found if it["session"] == "bot/1")
        assert damage["snapshots"] == [engine.info("bot/1@latest")["id"]]
        told = [first]
        while (event := listener.wait(0.0)) is not None:
            told.append(event)
        shown = [(it.session, it.detail["message"]) for it in told]
        assert sorted(shown, key=str) == sorted(
            ((it["session"], it["message"]) for it in found), key=str
        )
        # What was repaired is damaged no more.
        engine.repair()
        assert seen(scrubbing, 2)["damage"] == []
    assert not scrubbing.running and scrubbing.progress()["ended"]


def test_it_rests_as_the_rate_says(engine: Engine) -> None:
    saved(engine)
    with engine.scrub(rate=1) as scrubbing:
        end = time.monotonic() + PATIENCE
        while not scrubbing.wait(0.01)["sessions"]:
            assert time.monotonic() < end
        # The first has as many bytes as there are seconds to rest.
        rests = scrubbing.wait(0.3)
        assert (rests["sessions"], rests["of"], rests["rounds"]) == (1, 3, 0)
        assert rests["bytes"] > 900 and not rests["ended"]
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE
    with pytest.raises(dalsegno.InvalidInputError, match="from 0 on"):
        engine.scrub(rate=-1)


def test_awaited_it_tells_and_a_cancelled_wait_stops_it(engine: Engine) -> None:
    saved(engine)
    path = engine.path
    engine.close()
    spoil(path, "bot/1")

    async def work() -> None:
        async with await aio.open(path) as store:
            proved = await store.scrub(rate=0, once=True).wait()
            assert "bot/1" in [it["session"] for it in proved["damage"]]
            async with store.scrub(rate=1) as scrubbing:
                assert not (await scrubbing.wait(0.0))["ended"]
                waiting = asyncio.create_task(scrubbing.wait())
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                while not scrubbing.progress()["ended"]:
                    await asyncio.sleep(0.005)
                assert (await scrubbing.stop())["rounds"] == 0
            assert repr(scrubbing) == "<dalsegno.aio.AsyncScrubbing (stopped)>"

    asyncio.run(asyncio.wait_for(work(), PATIENCE))


INTERRUPTED = """
import os, signal, sys, threading, dalsegno

with dalsegno.open(sys.argv[1]) as engine:
    scrubbing = engine.scrub(rate=1)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        scrubbing.wait()
    except KeyboardInterrupt:
        print(scrubbing.running, scrubbing.progress()["rounds"])
"""


def test_ctrl_c_stops_it(engine: Engine) -> None:
    saved(engine)
    engine.close()
    program = [sys.executable, "-c", INTERRUPTED, str(engine.path)]
    ran = subprocess.run(
        program,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
        # A shell's background jobs do not hear it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert ran.stdout == "False 0\n", ran.stdout + ran.stderr


def test_it_ends_with_its_engine_or_where_nobody_keeps_it(engine: Engine) -> None:
    saved(engine)
    kept = engine.scrub(rate=0)
    engine.close()
    assert not kept.running and kept.wait()["ended"]
    # Nothing has it open any more.
    dalsegno.rebuild(engine.path)
    with dalsegno.open(engine.path) as again:
        again.scrub(rate=0)
        names = Path("/proc/self/task")
        if names.exists():
            threads = [it.read_text().strip() for it in names.glob("*/comm")]
            assert "dalsegno-scrub" not in threads


ENDS = """
import sys, threading, dalsegno

engine = dalsegno.open(sys.argv[1])
# Whoever waits for it in such a thread never lets it go.
threading.Thread(target=engine.scrub(rate=0).wait, daemon=True).start()
for n in range(2000):
    engine.submit(f"last/{n}", {"words": [n] * 500})
"""


def test_the_end_of_the_program_loses_nothing(engine: Engine) -> None:
    saved(engine)
    engine.close()
    program = [sys.executable, "-c", ENDS, str(engine.path)]
    subprocess.run(program, check=True, timeout=PATIENCE)
    with dalsegno.open(engine.path) as again:
        assert len(again.sessions()) == 2003


def saves(engine: Engine, number: int) -> int:
    return engine.save(f"child/{number}", {})["size"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_parent_goes_on_after_a_fork(engine: Engine) -> None:
    saved(engine)
    with engine.scrub(rate=0) as scrubbing:
        for number in range(3):
            seen(scrubbing, 1)
            assert in_a_child(lambda: engine.verify()["damage"]) == "[]"
            assert in_a_child(partial(saves, engine, number)) == "2"
            assert in_a_child(scrubbing.wait).startswith("InvalidInputError: this scrub is that of")
            assert in_a_child(lambda: scrubbing.running) == "False"
        assert seen(scrubbing, 2)["of"] == 6
        assert scrubbing.running
