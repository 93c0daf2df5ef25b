"""Events: what this program does, what others do, and what was done."""

from __future__ import annotations

import asyncio
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from children import child
from test_fork import in_a_child

import dalsegno
from dalsegno import Engine, Event, aio

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def test_what_this_engine_does_is_told(engine: Engine) -> None:
    listener = engine.subscribe()
    assert listener.wait(0) is None
    before = datetime.now(UTC)
    first = engine.save("s", {"n": 1})
    engine.save("s", {"n": 2}, kind="auto")
    engine.rollback("s")
    told = [listener.wait(0) for _ in range(3)]
    assert all(isinstance(event, Event) for event in told)
    created, saved, back = (event for event in told if event)
    assert (created.kind, created.session) == ("created", "s")
    assert created.detail == {"snapshot": first["id"]}
    assert type(created.at) is datetime and created.at.tzinfo is not None
    assert abs((created.at - before).total_seconds()) < 60
    assert created.actor and saved.kind == "auto_saved"
    assert back.kind == "rolled_back" and back.detail["from"] == first["id"]
    assert list(back.detail) == ["snapshot", "from", "target"]
    assert listener.missed == 0


def test_a_subscription_ends_with_the_engine(store: Path) -> None:
    engine = dalsegno.open(store)
    listener = engine.subscribe()
    heard: list[Event] = []
    listens = threading.Thread(target=lambda: heard.extend(listener))
    listens.start()
    for n in range(3):
        engine.save("s", {"n": n})
    engine.close()
    listens.join()
    assert [event.kind for event in heard] == ["created"] * 3
    assert listener.wait() is None


def test_a_slow_listener_misses_the_oldest(engine: Engine) -> None:
    listener = engine.subscribe()
    engine.save_many((f"s/{n}", {}) for n in range(5000))
    assert listener.missed == 5000 - 4096
    assert len([*iter(lambda: listener.wait(0), None)]) == 4096


OTHER = """
import sys, dalsegno
engine = dalsegno.open(sys.argv[1], program="another")
print("ready", flush=True)
sys.stdin.readline()
saved = engine.save("s", {})
sys.stdin.readline()
engine.delete(saved)
sys.stdin.readline()
"""


def test_what_another_program_does_is_followed(engine: Engine, store: Path) -> None:
    with child(OTHER, store) as other:
        assert other.says() == "ready"
        follower = engine.follow()
        assert follower.poll() == []
        other.tell()
        created = next(follower)
        other.tell()
        deleted = next(follower)
        assert (created.kind, created.session, deleted.session) == ("created", "s", "s")
        assert (deleted.kind, deleted.actor) == ("deleted", "another")
        assert deleted.detail == {"deleted": 1}
        assert follower.wait(0) is None
    # What was deleted tells of itself no more.
    assert engine.events() == [deleted]
    engine.save("t", {})
    assert [event.kind for event in engine.events()] == ["deleted", "created"]
    assert [event.session for event in engine.events(1)] == ["t"]


def test_a_follower_ends_with_the_engine(store: Path) -> None:
    engine = dalsegno.open(store)
    follower = engine.follow()
    engine.save("s", {})
    heard: list[Event] = []
    listens = threading.Thread(target=lambda: heard.extend(follower))
    listens.start()
    while not heard:
        listens.join(0.01)
    engine.close()
    listens.join()
    assert [event.kind for event in heard] == ["created"]
    with pytest.raises(dalsegno.InvalidInputError, match="closed"):
        follower.poll()


WAITS = """
import sys, dalsegno
engine = dalsegno.open(sys.argv[1])
events = engine.follow() if sys.argv[2] == "follow" else engine.subscribe()
try:
    print("waits", flush=True)
    for event in events:
        pass
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("how", ["follow", "subscribe"])
def test_whoever_waits_can_be_interrupted(store: Path, how: str) -> None:
    with child(WAITS, store, how) as waits:
        assert waits.says() == "waits"
        waits.process.send_signal(signal.SIGINT)
        assert waits.says() == "interrupted"
        assert waits.ends() == (0, "", "")


def test_asyncio(store: Path) -> None:
    async def work() -> None:
        async with await aio.open(store) as engine:
            subscription, follower = engine.subscribe(), engine.follow()
            saved = await engine.save("s", {"n": 1})
            async for event in subscription:
                assert (event.kind, event.detail) == ("created", {"snapshot": saved["id"]})
                break
            async for event in follower:
                assert event.detail == {"snapshot": saved["id"]}
                break
            assert await subscription.wait(0) is None and await follower.wait(0) is None
            assert subscription.missed == 0
            await engine.delete(saved)
            assert [event.kind for event in await follower.poll()] == ["deleted"]
            assert [event.kind for event in await engine.events()] == ["deleted"]

            async def listen() -> list[str]:
                heard: list[str] = [event.kind async for event in subscription]
                return heard + [event.kind async for event in follower]

            listens = asyncio.create_task(listen())
            # One that is cancelled loses nothing.
            for _ in range(3):
                waits = asyncio.create_task(follower.wait())
                await asyncio.sleep(0)
                waits.cancel()
            await engine.save("s", {"n": 2})
        assert await listens == ["deleted", "created"]

    asyncio.run(work())


@forks
def test_a_listener_hears_on_over_a_fork(engine: Engine, store: Path) -> None:
    subscription, follower = engine.subscribe(), engine.follow()
    engine.save("s", {"n": 1})

    def work() -> object:
        with pytest.raises(dalsegno.InvalidInputError, match="parent"):
            subscription.wait(0)
        own = engine.subscribe()
        engine.save("s", {"n": 2})
        assert own.wait(0) is not None
        return len(follower.poll())

    assert in_a_child(work) == "2"
    engine.save("s", {"n": 3})
    assert len([*iter(lambda: subscription.wait(0), None)]) == 2
    assert len(follower.poll()) == 3
    with dalsegno.open(store) as other:
        other.save("s", {"n": 4})
    assert len(follower.poll()) == 1
