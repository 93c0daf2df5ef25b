"""Rollback snapshots, as the game master's `state_rollback` has them."""

# Sessions have any shape here.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportPrivateUsage=false

from __future__ import annotations

import asyncio
import copy
import dataclasses
import logging
import math
import pickle
import types
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, computed_field

import dalsegno
import dalsegno.claudmaster.aio
from dalsegno import Engine, claudmaster
from dalsegno.claudmaster import RollbackError, StateRollbackManager, StateSnapshot


class Session(BaseModel):
    session_id: str = "drowned-bell"
    started: datetime = datetime(2026, 11, 20, 21, 30)
    turn_count: int = 0
    conversation_history: list[dict[str, Any]] = Field(default_factory=list)
    active_agents: dict[str, str] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)


@dataclasses.dataclass
class Plain:
    session_id: str = "drowned-bell"
    turn_count: int = 0
    conversation_history: list[Any] = dataclasses.field(default_factory=list)
    active_agents: dict[str, Any] = dataclasses.field(default_factory=dict)
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


class Bare:
    """A plain object."""

    def __init__(self) -> None:
        self.turn_count = 0
        self.conversation_history: list[Any] = []
        self.active_agents: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.session_id = "drowned-bell"


KINDS = [Session, Plain, Bare]


@pytest.fixture(params=KINDS)
def session(request: pytest.FixtureRequest) -> Any:
    return request.param()


def play(session: Any, turns: int = 1) -> None:
    for _ in range(turns):
        session.turn_count += 1
        session.conversation_history.append({"turn": session.turn_count, "said": ["go", {"n": 1}]})
        session.active_agents["narrator"] = f"turn {session.turn_count}"
        session.metadata.setdefault("deep", {"list": []})["list"].append(session.turn_count)


def state(session: Any) -> Any:
    return copy.deepcopy({name: getattr(session, name) for name in claudmaster.GAME_FIELDS})


def test_the_documented_shapes(session: Any, caplog: pytest.LogCaptureFixture) -> None:
    manager = StateRollbackManager(session=session, max_snapshots=2)
    assert (manager.session, manager.max_snapshots, manager.snapshots) == (session, 2, [])
    assert manager.get_snapshot_count() == 0 and manager.list_snapshots() == []
    play(session)
    with caplog.at_level(logging.DEBUG, "dm20-protocol"):
        first = manager.create_snapshot()
    assert [r.levelname for r in caplog.records] == ["INFO"]
    assert isinstance(first, StateSnapshot) and first.label == "auto" and first.turn_count == 1
    assert str(uuid.UUID(first.snapshot_id)) == first.snapshot_id
    assert first.timestamp.tzinfo is None
    assert abs(datetime.now() - first.timestamp) < timedelta(minutes=5)
    assert first.session_data["conversation_history"] == session.conversation_history
    assert manager.snapshots == [first]
    assert [list(listed.items()) for listed in manager.list_snapshots()] == [
        [
            ("snapshot_id", first.snapshot_id),
            ("label", "auto"),
            ("timestamp", first.timestamp.isoformat()),
            ("turn_count", 1),
        ]
    ]
    manager.create_snapshot(label="second")
    with caplog.at_level(logging.DEBUG, "dm20-protocol"):
        manager.create_snapshot("third")
    assert [s.label for s in manager.snapshots] == ["second", "third"]
    assert caplog.records[-1].levelname == "DEBUG" and first.snapshot_id in caplog.text
    assert first.session_data["turn_count"] == 1, "who holds it still has it"
    manager.max_snapshots = 0
    manager.clear_old_snapshots()
    assert manager.get_snapshot_count() == 0


def test_a_rollback_changes_the_session_in_place_and_keeps_later_snapshots(session: Any) -> None:
    manager = StateRollbackManager(session)
    play(session, 3)
    before = state(session)
    first = manager.create_snapshot("first")
    play(session)
    after = state(session)
    second = manager.create_snapshot("second")
    history = session.conversation_history
    for _ in range(2):
        play(session)
        assert manager.rollback_to(snapshot_id=first.snapshot_id) is True
        assert state(session) == before
        session.conversation_history[0]["said"][1]["n"] = 99
        assert manager.rollback_last() is True
        assert state(session) == after
    assert manager.snapshots == [first, second]
    assert manager.session is session and history is not session.conversation_history


def test_only_the_four_fields_come_back_or_all_when_asked(session: Any) -> None:
    for fields, back in ((claudmaster.GAME_FIELDS, "other"), (claudmaster.ALL, "drowned-bell")):
        session.session_id = "drowned-bell"
        manager = StateRollbackManager(session, fields=fields)
        manager.create_snapshot()
        session.session_id = "other"
        manager.rollback_last()
        assert session.session_id == back
    if isinstance(session, Session):
        assert session.started == datetime(2026, 11, 20, 21, 30), "with its type"


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    turn_count: int = 0


class Slots:
    __slots__ = ("late", "turn_count")

    def __init__(self) -> None:
        self.turn_count = 0


@pytest.mark.parametrize("kind", [types.SimpleNamespace, Extra, Slots])
def test_all_takes_away_what_came_since(kind: Any) -> None:
    session = kind()
    session.turn_count = 1
    manager = StateRollbackManager(session, fields=claudmaster.ALL)
    manager.create_snapshot()
    session.turn_count = 2
    session.late = [1]
    manager.rollback_last()
    assert session.turn_count == 1 and not hasattr(session, "late")
    # After an error the session is as it was.
    session.late, session.turn_count = [2], 3
    cast("dict[Any, Any]", manager.snapshots[0].session_data)[None] = "no name of an attribute"
    with pytest.raises(RollbackError):
        manager.rollback_last()
    assert session.turn_count == 3 and session.late == [2]


def test_what_stands_in_session_data_is_restored(session: Any) -> None:
    manager = StateRollbackManager(session)
    play(session)
    snapshot = manager.create_snapshot()
    snapshot.session_data["turn_count"] = 41
    snapshot.session_data["metadata"] = own = {"new": [1]}
    manager.rollback_last()
    assert session.turn_count == 41 and session.metadata == own
    session.metadata["new"].append(2)
    assert own == {"new": [1]}
    snapshot.session_data = {**snapshot.session_data, "turn_count": 42}
    manager.rollback_last()
    assert session.turn_count == 42
    manager.snapshots.append(dataclasses.replace(snapshot, snapshot_id="own"))
    assert manager.rollback_to("own")


def test_errors_say_what_is_there_and_change_nothing(session: Any) -> None:
    manager = StateRollbackManager(session)
    with pytest.raises(RollbackError) as none:
        manager.rollback_last()
    assert none.value.details == {"snapshot_count": 0}
    first, second = manager.create_snapshot(), manager.create_snapshot()
    play(session)
    before = state(session)
    with pytest.raises(RollbackError) as unknown:
        manager.rollback_to("no such")
    assert unknown.value.details == {"available_snapshots": [first.snapshot_id, second.snapshot_id]}
    assert "no such" in str(unknown.value)
    for damage in ("remove", "no dict", "none"):
        data = dict(first.session_data)
        if damage == "remove":
            data.pop("metadata")
        damaged_data: dict[str, Any] = {"remove": data, "no dict": [1], "none": None}
        first.session_data = damaged_data[damage]
        with pytest.raises(RollbackError) as damaged:
            manager.rollback_to(first.snapshot_id)
        assert list(damaged.value.details) == ["snapshot", "error"]
        assert damaged.value.details["snapshot"] == first.snapshot_id
        assert state(session) == before
        first.session_data = data


def test_a_field_that_refuses_leaves_all_as_they_were() -> None:
    class Strict(Session, validate_assignment=True):
        pass

    session = Strict()
    manager = StateRollbackManager(session)
    play(session)
    snapshot = manager.create_snapshot()
    play(session)
    before = state(session)
    snapshot.session_data["metadata"] = "no dict"
    with pytest.raises(RollbackError) as refused:
        manager.rollback_last()
    assert "metadata" in refused.value.details["error"]
    assert state(session) == before


def test_models_within_the_session_come_back_as_models() -> None:
    class Message(BaseModel):
        text: str

    class Typed(Session):
        conversation_history: list[Message] = Field(default_factory=list)  # type: ignore[assignment]  # pyright: ignore

    session = Typed(conversation_history=[Message(text="a")])
    manager = StateRollbackManager(session)
    manager.create_snapshot()
    session.conversation_history.clear()
    manager.rollback_last()
    assert session.conversation_history == [Message(text="a")]


def test_what_has_no_form_in_json_comes_back_too() -> None:
    metadata: dict[Any, Any] = {"set": {1}, "tuple": (1, [2]), 3: "int", "big": 10**5000}
    session = Plain(metadata=metadata)
    session.conversation_history = [{"nan": math.nan, "float": 1e300, "surrogate": "\ud800"}]
    before = copy.deepcopy(session)
    manager = StateRollbackManager(session)
    manager.create_snapshot()
    session.metadata["tuple"][1].append(5)
    session.metadata["set"].add(2)
    session.conversation_history[0]["float"] = 0
    manager.rollback_last()
    assert session.metadata == before.metadata
    assert repr(session.conversation_history) == repr(before.conversation_history)


def test_a_model_dump_of_its_own_is_asked() -> None:
    class Own(Bare):
        def model_dump(self, *, mode: str) -> dict[str, Any]:
            assert mode == "json"
            return {**vars(self), "metadata": {"own": True}}

    session = Own()
    manager = StateRollbackManager(session)
    assert manager.create_snapshot().session_data["metadata"] == {"own": True}
    manager.rollback_last()
    assert session.metadata == {"own": True}


def test_the_hosts_own_error_catches_it() -> None:
    class GameError(Exception):
        def __init__(self, code: int, *, why: str) -> None:
            super().__init__(code, why)

    try:
        claudmaster.derive_from(GameError)
        with pytest.raises(GameError) as error:
            StateRollbackManager(Plain()).rollback_last()
        assert isinstance(error.value, RollbackError)
        assert isinstance(error.value, dalsegno.DalsegnoError)
        assert error.value.details == {"snapshot_count": 0}
    finally:
        claudmaster.derive_from(Exception)
    assert not issubclass(RollbackError, GameError)
    wrongs: list[Any] = [int, "x", RollbackError]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            claudmaster.derive_from(wrong)


def test_snapshots_can_be_copied_and_pickled(session: Any) -> None:
    play(session)
    snapshot = StateRollbackManager(session).create_snapshot()
    for other in (copy.deepcopy(snapshot), pickle.loads(pickle.dumps(snapshot))):
        assert other == snapshot
    assert dataclasses.asdict(snapshot)["session_data"]["turn_count"] == 1


def test_memory_follows_the_change() -> None:
    session = Session()
    play(session, 2000)
    manager = StateRollbackManager(session, max_snapshots=200)
    manager.create_snapshot()
    one = manager.bytes_held()
    for _ in range(100):
        session.turn_count += 1
        session.conversation_history.append({"turn": session.turn_count})
        manager.create_snapshot()
    assert (manager.bytes_held() - one) / 100 < 1000 < one / 50


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(value: Any) -> Iterator[Any]:
    """Every list and dict in a value."""
    if isinstance(value, (list, dict)):
        yield value
        for inner in value if isinstance(value, list) else value.values():
            yield from places(inner)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.tuples(VALUES, st.integers(0, 50), VALUES), max_size=6))
def test_no_edit_of_the_session_shows_in_a_snapshot(
    kind: type, edits: list[tuple[Any, int, Any]]
) -> None:
    session: Any = kind()
    manager = StateRollbackManager(session, max_snapshots=100)
    known: list[tuple[StateSnapshot, Any]] = []
    for value, place, new in edits:
        session.turn_count += 1
        session.conversation_history.append({"v": value})
        known.append((manager.create_snapshot(), state(session)))
        within = [session.metadata, *session.conversation_history]
        found = [place for value in within for place in places(value)]
        where = found[place % len(found)]
        if isinstance(where, list):
            where.insert(place % (len(where) + 1), new)
        else:
            where[str(place % 3)] = new
    for snapshot, expected in [*known, *reversed(known)]:
        manager.rollback_to(snapshot.snapshot_id)
        assert state(session) == expected


def test_in_a_store_they_outlive_the_program(store: Path, session: Any) -> None:
    with dalsegno.open(store) as engine:
        manager = StateRollbackManager(session, 3, engine=engine, name="game/1")
        for label in ("a", "b", "c", "d"):
            play(session)
            manager.create_snapshot(label)
        ids = [snapshot.snapshot_id for snapshot in manager.snapshots]
        assert [s["id"] for s in engine.list("game/1", limit=3)] == ids[::-1]
        assert len(list(engine.list("game/1"))) == 4, "what the store keeps is its own affair"
    before = state(session)
    with dalsegno.open(store) as engine:
        other = type(session)()
        manager = StateRollbackManager(other, 3, engine=engine, name="game/1")
        assert [s.label for s in manager.snapshots] == ["b", "c", "d"]
        assert [s.turn_count for s in manager.snapshots] == [2, 3, 4]
        manager.rollback_last()
        assert state(other) == before
        assert manager.rollback_to(ids[0]) and other.turn_count == 2
        assert engine.restore("game/1@latest")["turn_count"] == 2
        entry = engine.log("game/1")[0]
        assert entry["entry"] == "operation" and entry["verb"] == "rollback"


def test_a_store_that_fails_leaves_the_session_alone(store: Path) -> None:
    session = Session()
    engine = dalsegno.open(store)
    manager = StateRollbackManager(session, engine=engine, name="game/1")
    manager.create_snapshot()
    play(session)
    before = state(session)
    engine.close()
    with pytest.raises(RollbackError) as error:
        manager.rollback_last()
    assert "closed" in error.value.details["error"]
    assert state(session) == before
    with pytest.raises(dalsegno.DalsegnoError):
        manager.create_snapshot()
    assert manager.get_snapshot_count() == 1


def test_every_so_many_turns_a_snapshot(engine: Engine, session: Any) -> None:
    manager = StateRollbackManager(session, engine=engine, name="game/1", every=3)
    taken = []
    for _ in range(7):
        play(session)
        taken.append(manager.turn_done().snapshot is not None)
    assert taken == [False, False, True, False, False, True, False]
    assert {snapshot["kind"] for snapshot in engine.list("game/1")} == {"auto"}
    manager.rollback_to(manager.snapshots[0].snapshot_id)
    play(session, 3)
    assert manager.turn_done().snapshot is not None


def sound(session: Any) -> str | None:
    return "no narrator" if "narrator" not in session.active_agents else None


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (sound, "no narrator"),
        ({"turn_count": int, "active_agents": dict}, "active_agents is a NoneType, not a dict"),
        (lambda session: session.active_agents["narrator"] != "", "TypeError: "),
    ],
)
def test_a_broken_state_goes_back_by_itself_and_says_so(
    session: Any, check: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    manager = StateRollbackManager(session, every=1, check=check)
    play(session)
    assert manager.turn_done().snapshot is not None
    play(session)
    good = manager.create_snapshot("good")
    before = state(session)
    play(session)
    broken: Any = {} if check is sound else None
    session.active_agents = broken
    bad = manager.create_snapshot("bad, by hand")
    turn = manager.turn_done()
    assert turn.broken is not None and turn.broken.startswith(why)
    assert turn.rolled_back_to is good and turn.snapshot is None
    assert [passed.snapshot_id for passed in turn.passed_over] == [bad.snapshot_id]
    assert state(session) == before
    assert good.snapshot_id in caplog.text
    manager.snapshots = [bad]
    session.active_agents = broken
    with pytest.raises(RollbackError) as nothing:
        manager.turn_done()
    assert nothing.value.details["snapshot_count"] == 1
    assert session.active_agents == broken


def test_parameters_that_make_no_sense(engine: Engine) -> None:
    with pytest.raises(TypeError, match="engine and name"):
        StateRollbackManager(Plain(), engine=engine)
    with pytest.raises(ValueError, match="every"):
        StateRollbackManager(Plain(), every=0)
    with pytest.raises(TypeError, match="dict"):
        StateRollbackManager({"turn_count": 1}).create_snapshot()


def test_the_twin_that_is_awaited(store: Path) -> None:
    async def game() -> None:
        session = Session()
        async with await dalsegno.aio.open(store) as engine:
            manager = await dalsegno.claudmaster.aio.manage(
                session, engine=engine, name="game/1", every=1, check=sound
            )
            play(session)
            first = (await manager.turn_done()).snapshot
            assert first is not None
            play(session)
            before = state(session)
            creating = asyncio.ensure_future(manager.create_snapshot("by hand"))
            await asyncio.sleep(0)
            play(session)
            await creating
            assert await manager.rollback_last()
            assert state(session) == before
            assert await manager.rollback_to(first.snapshot_id)
            assert session.turn_count == 1
            with pytest.raises(RollbackError):
                await manager.rollback_to("no such")
            cancelled = asyncio.ensure_future(manager.create_snapshot("cancelled"))
            await asyncio.sleep(0)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            await manager.create_snapshot("after")
            assert [s.label for s in manager.snapshots][-2:] == ["cancelled", "after"]
        in_memory = await dalsegno.claudmaster.aio.manage(session)
        await in_memory.create_snapshot()
        assert await in_memory.rollback_last()

    asyncio.run(game())


def test_a_broken_field_does_not_keep_the_others_from_coming_back() -> None:
    class Message(BaseModel):
        text: str

    class Odd(Session, extra="forbid", strict=True):
        conversation_history: list[Message] = Field(default_factory=list)  # type: ignore[assignment]  # pyright: ignore
        words: set[str] = {"a"}
        title: str = Field(default="x", alias="Title", min_length=1)
        hidden: int = Field(default=1, exclude=True)

        @computed_field
        def shown(self) -> str:
            return self.title.upper()

    session = Odd(conversation_history=[Message(text="a")])
    session.title = ""
    for fields in (claudmaster.GAME_FIELDS, ("conversation_history", "words")):
        manager = StateRollbackManager(session, fields=fields)
        manager.create_snapshot()
        session.conversation_history.clear()
        manager.rollback_last()
        assert session.conversation_history == [Message(text="a")]
        assert session.words == {"a"}


def test_what_pydantic_writes_and_does_not_read_comes_back() -> None:
    deep: list[Any] = []
    for _ in range(240):
        deep = [deep]
    session = Session(metadata={"deep": deep, "big": 10**5000, "half": "\ud83d"})
    before = copy.deepcopy(session.metadata)
    for left_out in ((), ("half",)):
        for name in left_out:
            del session.metadata[name], before[name]
        manager = StateRollbackManager(session)
        manager.create_snapshot()
        session.metadata = {}
        manager.rollback_last()
        assert session.metadata == before


def test_a_store_refuses_what_it_would_give_back_otherwise(engine: Engine) -> None:
    session = Plain(conversation_history=[Plain()])
    manager = StateRollbackManager(session, engine=engine, name="game/1")
    with pytest.raises(dalsegno.InvalidInputError, match="conversation_history"):
        manager.create_snapshot()
    assert engine.sessions() == []


def test_the_store_has_what_the_session_is(engine: Engine) -> None:
    session = Session(session_id="a")
    manager = StateRollbackManager(session, engine=engine, name="game/1")
    manager.create_snapshot()
    play(session)
    session.session_id = "b"
    manager.rollback_last()
    stored = engine.restore("game/1@latest")
    assert (stored["session_id"], stored["turn_count"]) == ("b", 0)


def test_awaited_calls_come_one_after_the_other() -> None:
    async def game() -> None:
        session = Session(turn_count=10)
        manager = await dalsegno.claudmaster.aio.manage(session)
        await manager.create_snapshot("old")
        session.turn_count = 20
        await asyncio.gather(manager.create_snapshot("new"), manager.rollback_last())
        assert session.turn_count == 20

    asyncio.run(game())
