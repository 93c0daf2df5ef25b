"""Steps from one shape of a program's documents to the next, and what they would do to what is stored."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import dalsegno
from dalsegno import Migration

OLD = b'{ "volume": "75", "tracks": ["a"], "id": 123456789012345678901234567890 }'


def to_queue(state: dict[str, Any]) -> dict[str, Any]:
    state["queue"] = state.pop("tracks")
    return state


def to_number(state: dict[str, Any]) -> dict[str, Any]:
    state["volume"] = int(state["volume"])
    return state


STEPS = [
    Migration("1", "2", to_queue, sessions="bot/*"),
    Migration("2", "3", to_number, sessions="bot/*"),
]


@pytest.fixture
def old(store: Path) -> Path:
    """A store that an older program filled."""
    with dalsegno.open(store) as engine:
        engine.save_json("bot/1", OLD, schema_version="1")
        engine.save("bot/1", {"volume": "80", "queue": []}, schema_version="2")
    return store


@dataclass
class Player:
    volume: int
    id: int
    queue: list[str]


def test_a_state_has_the_current_shape_and_its_text_is_what_was_saved(old: Path) -> None:
    with dalsegno.open(old, migrations=STEPS) as engine:
        number = 123456789012345678901234567890
        assert engine.restore("bot/1@-1") == {"volume": 75, "id": number, "queue": ["a"]}
        assert engine.restore("bot/1@-1", into=Player) == Player(75, number, ["a"])
        assert engine.restore("bot/1@-1", component="volume") == 75
        assert engine.restore_text("bot/1@-1") == OLD
        assert engine.components("bot/1@-1") == ["volume", "tracks", "id"]
        assert engine.restore("bot/1@latest") == {"volume": 80, "queue": []}
        saved = engine.save("bot/1", {"volume": 1, "queue": []})
        assert saved["schema_version"] == "3"
        assert engine.save("chat/1", [])["schema_version"] is None


def test_it_is_put_back_as_it_was_unless_the_current_shape_is_asked_for(
    old: Path, tmp_path: Path
) -> None:
    with dalsegno.open(old, migrations=STEPS) as engine:
        first = engine.info("bot/1@-1")
        engine.put_back(first, path=tmp_path / "old.json")
        assert (tmp_path / "old.json").read_bytes() == OLD
        report = engine.put_back(first, migrate=True)
        assert report["head"] is not None and report["head"]["schema_version"] == "3"
        assert b'"queue":["a"]' in engine.restore_text("bot/1@latest")
        engine.undo("bot/1")
        assert engine.info("bot/1@latest")["schema_version"] == "2"


def test_what_a_step_raises_is_the_cause(old: Path) -> None:
    with dalsegno.open(old, migrations=STEPS) as engine:
        lost = engine.save("bot/1", {"volume": "1"}, schema_version="1")
        with pytest.raises(dalsegno.InvalidInputError) as raised:
            engine.restore(lost)
        message = str(raised.value)
        assert lost["id"] in message and "from schema version 1 to 2 failed" in message
        assert isinstance(raised.value.__cause__, KeyError)
        assert raised.value.__cause__.args == ("tracks",)
        # Nothing is the worse for it.
        assert engine.restore("bot/1@-1")["volume"] == 80


def test_an_interrupt_is_no_failure_of_a_step(old: Path) -> None:
    def interrupted(_: object) -> object:
        raise KeyboardInterrupt

    with dalsegno.open(old, migrations=[Migration("1", "2", interrupted)]) as engine:
        for verb in (lambda: engine.restore("bot/1@-1"), engine.rehearse):
            with pytest.raises(KeyboardInterrupt):
                verb()
        assert engine.verify()["damage"] == []


def test_odd_steps_are_refused(store: Path) -> None:
    same = Migration("1", "1", to_queue)
    with pytest.raises(dalsegno.InvalidInputError, match="in a circle"):
        dalsegno.open(store, migrations=[same])
    assert not store.exists()

    def to_set(_: object) -> object:
        return {"a", "b"}

    with dalsegno.open(store, migrations=[Migration("1", "2", to_set)]) as engine:
        saved = engine.save("a", 1, schema_version="1")
        with pytest.raises(dalsegno.InvalidInputError, match="set has no form in JSON"):
            engine.restore(saved)
        newer = engine.save("a", 1, schema_version="9")
        with pytest.raises(dalsegno.InvalidInputError, match="newer program"):
            engine.restore(newer)


def test_a_rehearsal_counts_and_names_what_fails(old: Path) -> None:
    with dalsegno.open(old, migrations=STEPS) as engine:
        assert engine.rehearse() == {
            "sessions": 1,
            "snapshots": 2,
            "current": 0,
            "migrated": 2,
            "steps": [
                {"sessions": "bot/*", "from": "1", "to": "2", "snapshots": 1},
                {"sessions": "bot/*", "from": "2", "to": "3", "snapshots": 2},
            ],
            "failed": [],
            "unknown": [],
            "damage": [],
            "others": 0,
        }
        lost = engine.save("bot/1", {"volume": "x", "queue": []}, schema_version="2")
        [failed] = engine.rehearse("bot/1")["failed"]
        assert (failed["id"], failed["from"], failed["to"]) == (lost["id"], "2", "3")
        assert "ValueError: invalid literal" in failed["message"]
    refused = pytest.raises(dalsegno.InvalidInputError, match="no migrations")
    with dalsegno.open(old) as engine, refused:
        engine.rehearse()


def test_asyncio_has_the_same(old: Path) -> None:
    threads: set[int] = set()

    def noted(state: dict[str, Any]) -> dict[str, Any]:
        threads.add(threading.get_ident())
        return to_queue(state)

    async def main() -> None:
        steps = [Migration("1", "2", noted), Migration("2", "3", to_number)]
        async with await dalsegno.aio.open(old, migrations=steps) as engine:
            assert (await engine.restore("bot/1@-1"))["volume"] == 75
            assert (await engine.rehearse())["migrated"] == 2
            report = await engine.put_back("bot/1@-1", migrate=True)
            assert report["head"] is not None and report["head"]["schema_version"] == "3"

    asyncio.run(main())
    # The event loop's thread ran none of them.
    assert threads and threading.get_ident() not in threads


def test_who_attends_goes_on_with_the_current_shape(old: Path) -> None:
    loaded: list[Any] = []

    def load(_: dalsegno.Request, state: Any) -> None:
        loaded.append(state)

    with dalsegno.open(old, migrations=STEPS, program="bot") as engine:
        engine.open_session("bot/1")
        with engine.attend(load=load), dalsegno.open(old) as other:
            other.ask("bot/1", "rollback", {"steps": 1}, timeout=60)
    assert [state["queue"] for state in loaded] == [["a"]]
