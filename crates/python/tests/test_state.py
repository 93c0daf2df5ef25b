"""From values to JSON, and back."""

from __future__ import annotations

import enum
import json
import math
import random
import struct
import threading
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pydantic
import pytest

import dalsegno
from dalsegno import Engine
from dalsegno.state import to_text


@dataclass
class Track:
    title: str
    seconds: int = 0
    tags: tuple[str, ...] = ()


class Loop(enum.Enum):
    OFF = "off"
    ALL = "all"


@dataclass
class Player:
    volume: float
    queue: list[Track]
    current: Track | None = None
    loop: Literal["off", "all"] = "off"
    by_guild: dict[int, Track] = field(default_factory=dict[int, Track])
    plays: int = field(default=0, init=False)


class Message(pydantic.BaseModel):
    role: str
    text: str
    at: datetime | None = None


class Chat(pydantic.BaseModel):
    title: str
    messages: list[Message] = []


def test_a_dataclass_and_back(engine: Engine) -> None:
    player = Player(0.5, [Track("Naima", 262, ("slow", "ballad"))], current=Track("So What"))
    player.by_guild[7] = Track("Giant Steps")
    player.plays = 3
    saved = engine.save("bot/42", player)
    assert engine.restore(saved)["queue"][0] == {
        "title": "Naima",
        "seconds": 262,
        "tags": ["slow", "ballad"],
    }
    again = engine.restore(saved, into=Player)
    assert again == player and again.plays == 3
    assert isinstance(again.queue[0].tags, tuple)
    assert engine.restore(saved, component="queue", into=list[Track]) == player.queue


def test_a_pydantic_model_and_back(engine: Engine) -> None:
    chat = Chat(title="garden", messages=[Message(role="user", text="hi", at=datetime(2026, 1, 2))])
    saved = engine.save("chat/1", chat)
    assert engine.restore_text(saved) == chat.model_dump_json().encode()
    again = engine.restore(saved, into=Chat)
    assert again == chat
    adapter = pydantic.TypeAdapter(list[Message])
    assert engine.restore(saved, component="messages", into=adapter) == chat.messages


def test_models_and_dataclasses_within_others(engine: Engine) -> None:
    state = {"tracks": [Track("Naima")], "last": Message(role="user", text="hi")}
    assert engine.restore(engine.save("s", state)) == {
        "tracks": [{"title": "Naima", "seconds": 0, "tags": []}],
        "last": {"role": "user", "text": "hi", "at": None},
    }


class Point(NamedTuple):
    x: int
    y: int


class Level(enum.IntEnum):
    LOW = 1


class Colour(enum.StrEnum):
    RED = "red"


HAD: list[tuple[Any, Any]] = [
    ((1, 2), [1, 2]),
    (Point(1, 2), [1, 2]),
    (Level.LOW, 1),
    (Colour.RED, "red"),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (
        {1: "a", 2.5: "b", False: "c", None: "d"},
        {"1": "a", "2.5": "b", "false": "c", "null": "d"},
    ),
    (2**200, 2**200),
    (0.1 + 0.2, 0.30000000000000004),
    (-0.0, -0.0),
    ("\x00\x1f\u2028", "\x00\x1f\u2028"),
    ("a\ud83e lone surrogate", "a\ud83e lone surrogate"),
    (None, None),
    ("text", "text"),
    ([], []),
]


@pytest.mark.parametrize(("value", "comes_back"), HAD)
def test_values_that_json_has(engine: Engine, value: Any, comes_back: Any) -> None:
    back = engine.restore(engine.save("s", {"value": value}))["value"]
    assert back == comes_back and type(back) is type(comes_back)
    assert engine.restore(engine.save("s", value)) == comes_back


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (-math.inf, "-inf"),
        (Decimal("1.1"), "Decimal"),
        (datetime(2026, 1, 1), "datetime"),
        (uuid.UUID(int=1), "UUID"),
        (Path("/a"), "PosixPath"),
        (Loop.OFF, "Loop"),
        ({1, 2}, "set"),
        (b"bytes", "bytes"),
        (object(), "object"),
        (Track, "type"),
    ],
)
def test_what_json_has_no_word_for_is_refused_by_name_and_place(
    engine: Engine, value: object, named: str
) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match=rf"players\[1\]\['a b'\].*{named}"):
        engine.save("s", {"players": [{}, {"a b": value}]})
    with pytest.raises(ValueError, match=named):
        engine.save("s", value)
    assert engine.sessions() == []


def test_keys_that_json_has_not_are_refused(engine: Engine) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match=r"at a: the key \(1, 2\) is a tuple"):
        engine.save("s", {"a": {(1, 2): 3}})
    with pytest.raises(dalsegno.InvalidInputError, match="nan has no form in JSON"):
        engine.save("s", {math.nan: 3})


def test_default_says_what_to_write(engine: Engine) -> None:
    def default(value: object) -> object:
        if isinstance(value, (Decimal, Path, uuid.UUID)):
            return str(value)
        if isinstance(value, set):
            return sorted(value)  # pyright: ignore
        raise TypeError(f"what is a {type(value).__name__}?")

    state = {"price": Decimal("1.10"), "tags": {"b", "a"}, "where": Path("/a")}
    saved = engine.save("s", state, default=default)
    assert engine.restore(saved) == {"price": "1.10", "tags": ["a", "b"], "where": "/a"}
    with pytest.raises(dalsegno.InvalidInputError, match="at x: what is a complex"):
        engine.save("s", {"x": 1j}, default=default)


def test_what_a_default_raises_comes_through(engine: Engine) -> None:
    class Mine(Exception):
        pass

    def default(value: object) -> object:
        raise Mine

    with pytest.raises(Mine):
        engine.save("s", {"x": 1j}, default=default)

    def broken(value: object) -> object:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        engine.save("s", {"x": 1j}, default=broken)


def test_what_contains_itself_is_refused(engine: Engine) -> None:
    state: dict[str, Any] = {"a": []}
    state["a"].append(state)
    with pytest.raises(dalsegno.InvalidInputError, match=r"at a\[0\]: it contains itself"):
        engine.save("s", state)
    shared = {"x": 1}
    assert engine.restore(engine.save("s", [shared, shared])) == [shared, shared]
    with pytest.raises(dalsegno.InvalidInputError):
        engine.save("s", 1j, default=lambda value: [value])


def nested(levels: int) -> list[Any]:
    state: list[Any] = []
    for _ in range(levels - 1):
        state = [state]
    return state


@pytest.mark.parametrize("levels", [10_001, 20_001, 1_000_000])
def test_very_deep_nesting_is_refused(engine: Engine, levels: int) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match="nested"):
        engine.save("s", nested(levels))


def test_deep_nesting_needs_no_large_stack(engine: Engine) -> None:
    """Python's own recursion is used neither to save nor to restore the text."""
    before = threading.stack_size(64 << 10)
    try:
        with ThreadPoolExecutor(1) as pool:
            saved = pool.submit(engine.save, "s", nested(10_000)).result()
    finally:
        threading.stack_size(before)
    assert engine.restore_text(saved) == b"[" * 10_000 + b"]" * 10_000
    with pytest.raises(dalsegno.InvalidInputError, match="restore_text"):
        engine.restore(saved)


def test_integers_of_thousands_of_digits_are_refused(engine: Engine) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match=r"at n\[1\]: .*4300 digits"):
        engine.save("s", {"n": [1, 10**5000]})
    saved = engine.save_json("s", b"1" * 5000)
    assert engine.restore_text(saved) == b"1" * 5000
    with pytest.raises(dalsegno.InvalidInputError, match="restore_text"):
        engine.restore(saved)


def random_value(dice: random.Random, depth: int) -> Any:
    kind = dice.randrange(9 if depth < 5 else 6)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.choice([0, -1, 2**63 - 1, -(2**63), 2**63, 10**40, dice.randrange(10**9)])
    if kind == 2:
        numbers = [0.0, -0.0, 1e16, 1e-5, 5e-324, 1.7976931348623157e308, dice.random()]
        return dice.choice([*numbers, dice.uniform(-1e9, 1e9), 1e22, 123456789012345680.0])
    if kind < 6:
        alphabet = 'abc "\\/\x00\x08\t\n\x0c\r\x1f\x7f\x80é\u2028\ud7ff\ue000€🎷\U0010ffff'
        return "".join(dice.choices(alphabet, k=dice.choice([0, 1, 5, 31, 32, 33, 64, 100])))
    if kind == 6:
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(5))]
    if kind == 7:
        return tuple(random_value(dice, depth + 1) for _ in range(dice.randrange(5)))
    keys: list[Any] = ["", "a", "é", '"', "a" * 40, 1, 10**30, 1.5, None, True, False, 7]
    return {dice.choice(keys): random_value(dice, depth + 1) for _ in range(dice.randrange(5))}


def test_the_text_is_the_one_that_pythons_json_would_write() -> None:
    dice = random.Random(1)
    for _ in range(3000):
        value = random_value(dice, 0)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        assert bytes(to_text(value)) == written.encode()


def test_numbers_are_spelled_as_python_does() -> None:
    dice = random.Random(2)
    numbers = [struct.unpack("<d", dice.randbytes(8))[0] for _ in range(20_000)]
    numbers += [
        float(f"{m}e{e}") for e in range(-330, 309) for m in ("1", "9.5", "1.2345678901234567")
    ]
    numbers += [dice.uniform(-1, 1) * 10.0**e for e in range(-10, 25) for _ in range(50)]
    numbers += [float(2**e) for e in range(1024)] + [float(2**53 - 1), 9007199254740993.0]
    finite = [number for number in numbers if math.isfinite(number)]
    assert bytes(to_text(finite)) == json.dumps(finite, separators=(",", ":")).encode()


def test_a_default_may_change_what_is_being_written(engine: Engine) -> None:
    class Trap:
        pass

    items: list[Any] = [Trap(), 2, 3]
    members: dict[str, Any] = {"trap": Trap(), "b": 2}

    def default(value: object) -> object:
        items.clear()
        members.clear()
        members["more"] = 1
        return "sprung"

    state = [items, members]
    assert engine.restore(engine.save("s", state, default=default)) == [["sprung"], {"more": 1}]
    items[:] = [1]
    members.clear()
    members.update(trap=Trap(), b=2)
    saved = engine.save("s", state, default=default)
    assert engine.restore(saved) == [[1], {"trap": "sprung", "b": 2}]


def test_a_lone_surrogate_within_other_text(engine: Engine) -> None:
    text = 'é\ud800"\udfff\\🎷\udc80'
    assert engine.restore(engine.save("s", {text: [text]})) == {text: [text]}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"volume":1}', "queue is missing"),
        ('{"volume":"loud","queue":[]}', "at volume is a str, not a float"),
        ('{"volume":1,"queue":{}}', "at queue is a dict"),
        ('{"volume":1,"queue":[{"title":1}]}', r"queue\[0\].title is a int, not a str"),
        ('{"volume":1,"queue":[{}]}', r"queue\[0\].title is missing"),
        ('{"volume":1,"queue":[],"extra":1}', "no fields for: extra"),
        ('{"volume":1,"queue":[],"loop":"x"}', "loop is 'x'"),
        ('{"volume":1,"queue":[],"by_guild":{"x":{}}}', "key 'x', which is no int"),
        ("[]", "is a list, not the fields of Player"),
    ],
)
def test_a_state_of_another_shape_is_refused(engine: Engine, text: str, named: str) -> None:
    saved = engine.save_json("s", text)
    with pytest.raises(dalsegno.InvalidInputError, match=named):
        engine.restore(saved, into=Player)


def test_a_state_that_a_model_refuses_names_what(engine: Engine) -> None:
    saved = engine.save("s", {"messages": 1})
    with pytest.raises(dalsegno.InvalidInputError, match="title") as caught:
        engine.restore(saved, into=Chat)
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)


@dataclass
class Mixed:
    model: Message
    loop: Loop
    words: set[str]
    pair: tuple[int, str]
    either: int | str
    anything: Any


def test_other_types_in_dataclasses(engine: Engine) -> None:
    mixed = Mixed(Message(role="a", text="b"), Loop.ALL, {"x"}, (1, "a"), "seven", {"k": [1]})

    def default(value: Any) -> Any:
        return value.value if isinstance(value, enum.Enum) else sorted(value)

    assert engine.restore(engine.save("s", mixed, default=default), into=Mixed) == mixed


def test_numbers_and_order_are_as_pythons_json_has_them(engine: Engine) -> None:
    text = '{"z":1,"a":{"y":1.50,"b":1E5},"a2":[1e-7,-0,12345678901234567890]}'
    assert json.dumps(engine.restore(engine.save_json("s", text))) == json.dumps(json.loads(text))
