"""Finding, reading, comparing, proving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import dalsegno
from dalsegno import Engine
from dalsegno.results import Sort


def test_references(engine: Engine) -> None:
    first = engine.save("bot/42", {"n": 1}, name="one")
    second = engine.save("bot/42", {"n": 2})
    for reference in (first["id"], first, "one", "bot/42@one", "bot/42@-1", first["id"][:18]):
        assert engine.info(reference) == first
    assert engine.info("bot/42@latest") == second
    assert engine.info(f"bot/42@{first['created_at'].isoformat()}") == first


def test_list_is_newest_first_and_goes_on_over_pages(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = [engine.save("s", {"n": n})["id"] for n in range(10)]
    monkeypatch.setattr("dalsegno.verbs.find.PAGE", 3)
    assert [snapshot["id"] for snapshot in engine.list("s")] == saved[::-1]
    assert [snapshot["id"] for snapshot in engine.list("s", reverse=True)] == saved
    for limit in (1, 3, 4, 10, 11):
        assert [snapshot["id"] for snapshot in engine.list(limit=limit)] == saved[::-1][:limit]


def test_pages(engine: Engine) -> None:
    saved = [engine.save("s", {"n": n})["id"] for n in range(5)]
    page = engine.page("s", limit=3)
    assert [snapshot["id"] for snapshot in page["snapshots"]] == saved[:1:-1]
    assert page["next"] is not None and page["damaged"] == []
    engine.save("s", {"n": "more"})
    rest = engine.page("s", limit=3, cursor=page["next"])
    assert [snapshot["id"] for snapshot in rest["snapshots"]] == saved[1::-1]
    assert rest["next"] is None
    with pytest.raises(dalsegno.InvalidInputError, match="cursor"):
        engine.page("s", sort="size", cursor=page["next"])


def test_filters(engine: Engine) -> None:
    a = engine.save("a", {"n": 1}, tags=["x", "y"], name="one")["id"]
    b = engine.save("b", {"n": 2}, tags=["x"], kind="auto")["id"]
    c = engine.save("b", {"n": "three, and longer"}, kind="guard")["id"]

    def ids(**filters: object) -> list[str]:
        return [s["id"] for s in engine.list(**filters)]  # type: ignore[arg-type]  # pyright: ignore

    assert ids() == [c, b, a]
    assert ids(tag="x") == [b, a]
    assert ids(tag=["x", "y"]) == [a]
    assert ids(kind="auto") == [b]
    assert ids(kind=["auto", "guard"]) == [c, b]
    assert ids(name="one") == [a]
    assert ids(session="b") == [c, b]
    assert ids(since="1h") == [c, b, a]
    assert ids(since=timedelta(hours=1)) == [c, b, a]
    assert ids(until=timedelta(hours=1)) == []
    later = datetime.now() + timedelta(hours=1)
    assert ids(since=later) == [] and ids(until=later) == [c, b, a]
    assert ids(since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert ids(until="2020-01-01") == []
    assert ids(sort="size")[0] == c
    assert ids(sort="name")[0] == a


def test_a_naive_time_is_local(engine: Engine) -> None:
    saved = engine.save("s", {})
    local = saved["created_at"].astimezone().replace(tzinfo=None)
    assert [s["id"] for s in engine.list(since=local, until=local)] == [saved["id"]]


def test_wrong_filters_are_told_before_the_first_snapshot(engine: Engine) -> None:
    engine.save("s", {})
    with pytest.raises(dalsegno.NotFoundError, match="nosuch"):
        engine.list("nosuch")
    with pytest.raises(dalsegno.InvalidInputError, match="soon"):
        engine.list(since="soon")
    wrong: Sort = "colour"  # type: ignore[assignment]  # pyright: ignore
    with pytest.raises(dalsegno.InvalidInputError, match="colour"):
        engine.list(sort=wrong)
    with pytest.raises(dalsegno.InvalidInputError, match="limit"):
        engine.list(limit=0)
    with pytest.raises(OverflowError):
        engine.page(limit=-1)


def test_components(engine: Engine) -> None:
    saved = engine.save_json("s", b'{"b": [1, 2],\n "a": {"x": 1.0}}')
    assert engine.components(saved) == ["b", "a"]
    assert engine.restore(saved, component="b") == [1, 2]
    assert engine.restore_text(saved, component="a") == b'{"x": 1.0}'
    with pytest.raises(dalsegno.NotFoundError, match="it has b, a"):
        engine.restore(saved, component="c")


def test_diff(engine: Engine) -> None:
    old = engine.save("s", {"volume": 75, "queue": ["Naima"], "gone": 1})
    new = engine.save("s", {"volume": 30, "queue": ["Naima", {"title": "So What"}]})
    diff = engine.diff(old, new)
    assert diff["from"] == old and diff["to"] == new and not diff["identical"]
    volume, queue, gone = diff["components"]
    assert volume["differences"] == [
        {"kind": "changed", "path": "volume", "before": 75, "after": 30}
    ]
    assert queue["counts"]["added"] == 1
    assert queue["differences"][0].get("after") == {"title": "So What"}
    assert gone["change"] == "removed"
    assert engine.diff_lines(old, new)[0] == "~ volume 75 → 30"
    assert engine.diff(old, old)["identical"]


def test_log(engine: Engine) -> None:
    first = engine.save("s", {"n": 1})
    engine.save("s", {"n": 2})
    engine.rollback("s")
    newest, *_, oldest = engine.log("s")
    assert newest["entry"] == "operation"
    assert newest["verb"] == "rollback" and newest["status"] == "done" and not newest["undone"]
    assert newest["from"] == first["id"] and newest["target"] == {"kind": "head"}
    assert newest["at"].tzinfo is UTC
    assert oldest["entry"] == "save"
    assert oldest["snapshot"] == first
    assert len(engine.log("s", limit=1)) == 1


def test_verify(engine: Engine) -> None:
    engine.save("a", {"n": 1})
    engine.save("b", {"n": 2})
    assert engine.verify() == {
        "sessions": 2,
        "snapshots": 2,
        "states": 2,
        "bytes": 14,
        "repaired": 0,
        "damage": [],
    }
    assert engine.verify("a")["snapshots"] == 1
    with pytest.raises(dalsegno.NotFoundError):
        engine.verify("nosuch")


def test_damage_is_reported_and_never_restored(store: Path) -> None:
    with dalsegno.open(store) as engine:
        saved = engine.save_json("s", b'{"needle":"0123456789abcdef"}')
        engine.save("s", {"other": [1] * 1000})
    data = bytearray(store.read_bytes())
    at = data.index(b"0123456789abcdef")
    data[at] ^= 1
    store.write_bytes(data)
    with dalsegno.open(store) as engine:
        lost = [(damage["session"], damage["snapshots"]) for damage in engine.verify()["damage"]]
        assert any(session == "s" and saved["id"] in ids for session, ids in lost), lost
        with pytest.raises(dalsegno.DamagedError):
            engine.restore(saved)


def test_stats(engine: Engine) -> None:
    for n in range(3):
        engine.save("s", {"n": n, "same": [1, 2, 3]})
    stats = engine.stats()
    assert stats["snapshots"] == 3 and stats["components"] is None
    stats = engine.stats("s", zone="Europe/Berlin")
    assert stats["zone"] == "Europe/Berlin"
    assert stats["components"] is not None
    assert stats["components"]["changes"][0]["name"] == "n"
    assert sum(stats["hours"]) == 3
    assert stats["days"][0]["date"].year >= 2026
    assert stats["by_session"][0]["oldest"] is not None
    assert stats["oldest"] is not None and stats["oldest"]["session"] == "s"
    with pytest.raises(dalsegno.InvalidInputError, match="Atlantis"):
        engine.stats(zone="Atlantis")


def test_doctor(engine: Engine, store: Path) -> None:
    found = engine.doctor()
    assert found["path"] == str(store) and not found["read_only"]
    assert ["journal_mode", "wal"] in found["settings"]
