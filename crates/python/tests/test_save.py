"""Saving, and what is said of a snapshot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import dalsegno
from dalsegno import Engine


def test_a_dict_comes_back(engine: Engine) -> None:
    state = {"volume": 75, "queue": ["Blue Train", None, 1.5, True], "ünïcode": "🎷"}
    saved = engine.save("bot/42", state)
    assert engine.restore(saved) == state
    assert (
        engine.restore_text(saved)
        == json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()
    )


def test_everything_that_is_said_of_a_snapshot_is_kept(engine: Engine) -> None:
    before = datetime.now(UTC)
    saved = engine.save(
        "game/1",
        {"turn_count": 7},
        name="before the boss",
        label="boss",
        description="in the cave",
        tags=["boss", "cave"],
        metadata={"by": "ada", "nested": {"n": [1, 2.5, None]}},
        kind="auto",
        turn=8,
        schema_version="3",
        pin=True,
    )
    assert saved == engine.info("before the boss")
    assert saved["session"] == "game/1"
    assert saved["name"] == "before the boss"
    assert saved["label"] == "boss"
    assert saved["description"] == "in the cave"
    assert saved["tags"] == ["boss", "cave"]
    assert saved["metadata"] == {"by": "ada", "nested": {"n": [1, 2.5, None]}}
    assert saved["kind"] == "auto"
    assert saved["turn"] == 8
    assert saved["schema_version"] == "3"
    assert saved["pinned"]
    assert saved["created_at"].tzinfo is UTC
    assert before - timedelta(seconds=1) <= saved["created_at"] <= datetime.now(UTC)


def test_one_tag_may_be_given_without_a_list(engine: Engine) -> None:
    assert engine.save("s", {}, tags="boss")["tags"] == ["boss"]


def test_the_turn_is_taken_from_the_state(engine: Engine) -> None:
    assert engine.save("game/1", {"turn_count": 7, "turn": 1})["turn"] == 7
    assert engine.save("game/1", {"turn": 9})["turn"] == 9


def test_metadata_is_not_taken_for_times(engine: Engine) -> None:
    metadata = {"created_at": "2026-11-20T10:00:00Z", "at": "2026-11-20T10:00:00Z"}
    assert engine.save("s", {}, metadata=metadata)["metadata"] == metadata


@pytest.mark.parametrize("number", [10**30, -(10**19), 2**64])
def test_numbers_that_metadata_cannot_keep_are_refused(engine: Engine, number: int) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match="exactly"):
        engine.save("s", {}, metadata={"n": [number]})


def test_json_text_is_kept_byte_for_byte(engine: Engine) -> None:
    text = b' {"b": 1.0,\n "a": 1e400, "big": 123456789012345678901234567890} \n'
    saved = engine.save_json("s", text)
    assert engine.restore_text(saved) == text
    assert engine.restore(saved)["big"] == 123456789012345678901234567890
    assert engine.restore_text(engine.save_json("s", '{"ü": 1}')) == '{"ü": 1}'.encode()


@pytest.mark.parametrize("text", ["", "{", '{"a":NaN}', "{} {}", b"\xff", "[" * 100_000])
def test_what_is_no_json_is_refused(engine: Engine, text: bytes | str) -> None:
    with pytest.raises(dalsegno.InvalidInputError):
        engine.save_json("s", text)
    assert engine.sessions() == []


def test_an_unchanged_state_is_a_reference(engine: Engine) -> None:
    first = engine.save("s", {"a": 1})
    second = engine.save("s", {"a": 1})
    assert second["unchanged"] and second["same_as"] == first["id"]


def test_names_are_unique_in_a_session(engine: Engine) -> None:
    engine.save("a", {}, name="party")
    engine.save("b", {}, name="party")
    with pytest.raises(dalsegno.ConflictError, match="party"):
        engine.save("a", {"n": 1}, name="party")
    with pytest.raises(dalsegno.AmbiguousError, match="a 'party'"):
        engine.info("party")


def test_a_save_that_expects_another_state_is_refused(engine: Engine) -> None:
    first = engine.save("s", {"n": 1}, expect_new=True)
    second = engine.save("s", {"n": 2}, expect=first)
    with pytest.raises(dalsegno.ConflictError):
        engine.save("s", {"n": 3}, expect=first)
    with pytest.raises(dalsegno.ConflictError):
        engine.save("s", {"n": 3}, expect_new=True)
    with pytest.raises(dalsegno.InvalidInputError, match="contradict"):
        engine.save("s", {"n": 3}, expect=second, expect_new=True)
    assert engine.restore("s@latest") == {"n": 2}


def test_many_sessions_at_once(engine: Engine) -> None:
    states = {f"bot/{n}": {"n": n} for n in range(100)}
    saved = engine.save_many(states.items(), tags="tick", kind="auto")
    assert [snapshot["session"] for snapshot in saved] == list(states)
    assert all(engine.restore(f"{session}@latest") == state for session, state in states.items())
    assert saved[0]["tags"] == ["tick"] and saved[0]["kind"] == "auto"


def test_of_many_one_refusal_stops_no_other(engine: Engine) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match="empty"):
        engine.save_many([("a", {}), ("", {}), ("b", {})])
    assert engine.sessions() == ["a", "b"]


def test_of_many_nothing_is_saved_where_one_is_no_json(engine: Engine) -> None:
    with pytest.raises(dalsegno.InvalidInputError):
        engine.save_many([("a", {}), ("b", {1, 2})])
    assert engine.sessions() == []


def test_a_ticket_tells_what_became_of_the_save(engine: Engine) -> None:
    state = {"n": 1}
    ticket = engine.submit("s", state)
    state["n"] = 2
    saved = ticket.result(timeout=60)
    assert ticket.done() and ticket.result() == saved
    assert engine.restore(saved) == {"n": 1}
    refused = engine.submit("", {})
    for _ in range(2):
        with pytest.raises(dalsegno.InvalidInputError):
            refused.result()


def test_flush_waits_for_everything_submitted(engine: Engine) -> None:
    tickets = [engine.submit_json(f"s/{n}", b"{}") for n in range(50)]
    engine.flush()
    assert all(ticket.done() for ticket in tickets)
    assert len(engine.sessions()) == 50


def test_a_timeout_that_is_none_is_refused(engine: Engine) -> None:
    for timeout in (-1.0, float("nan"), float("inf")):
        with pytest.raises(dalsegno.InvalidInputError):
            engine.submit("s", {}).result(timeout=timeout)


def test_options_are_keyword_only(engine: Engine) -> None:
    with pytest.raises(TypeError):
        engine.save("s", {}, "name")  # type: ignore[call-arg]  # pyright: ignore


def test_wrong_types_are_type_errors(engine: Engine) -> None:
    with pytest.raises(TypeError):
        engine.save(1, {})  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(TypeError):
        engine.save("s", {}, turn="7")  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(TypeError):
        engine.save("s", {}, name=7)  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(TypeError):
        engine.info(None)  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(dalsegno.InvalidInputError, match="kind"):
        engine.save("s", {}, kind="weekly")  # type: ignore[arg-type]  # pyright: ignore
    for turn in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError):
            engine.save("s", {}, turn=turn)
