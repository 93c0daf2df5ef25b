"""Putting states back, and taking that back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import dalsegno
from dalsegno import Engine


def test_rollback_undo_redo(engine: Engine) -> None:
    for n in range(3):
        engine.save("s", {"n": n})
    report = engine.rollback("s")
    assert report["head"] is not None and report["no_undo"] is None
    assert engine.restore("s@latest") == {"n": 1}
    engine.rollback("s")
    assert engine.restore("s@latest") == {"n": 0}
    engine.undo("s")
    engine.undo("s")
    assert engine.restore("s@latest") == {"n": 2}
    engine.redo("s")
    assert engine.restore("s@latest") == {"n": 1}
    with pytest.raises(dalsegno.NotFoundError, match="nothing to go back"):
        engine.rollback("s", steps=100)


def test_ways_to_say_how_far(engine: Engine) -> None:
    saved = [engine.save("s", {"n": n, "turn": n * 10}) for n in range(5)]

    def after(**way: object) -> object:
        engine.rollback("s", **way)  # type: ignore[call-overload]  # pyright: ignore
        state = engine.restore("s@latest")["n"]
        engine.undo("s")
        return state

    assert after(steps=2) == 2
    assert after(to=saved[1]) == 1
    assert after(to=saved[1]["id"]) == 1
    assert after(turn=30) == 3
    assert after(at=saved[0]["created_at"]) == 0
    assert after(at=saved[0]["created_at"].astimezone().replace(tzinfo=None)) == 0
    with pytest.raises(dalsegno.InvalidInputError, match="one of"):
        engine.rollback("s", steps=1, turn=3)
    with pytest.raises(dalsegno.InvalidInputError, match="from 1 on"):
        engine.rollback("s", steps=0)
    with pytest.raises(dalsegno.NotFoundError):
        engine.rollback("s", at=datetime.now(UTC) - timedelta(days=1))


def test_a_dry_run_changes_nothing(engine: Engine) -> None:
    engine.save("s", {"n": 1, "m": 1})
    newest = engine.save("s", {"n": 2, "m": 1})
    plan = engine.rollback("s", dry_run=True)
    assert plan["verb"] == "rollback" and plan["changes"] and plan["target"] == {"kind": "head"}
    assert plan["components"][0] == {"name": "n", "change": "changed", "before": 1, "after": 1}
    assert engine.put_back("s@-1", dry_run=True)["verb"] == "restore"
    assert engine.info("s@latest") == newest
    engine.rollback("s")
    assert engine.undo("s", dry_run=True)["verb"] == "undo"
    assert engine.restore("s@latest")["n"] == 1


def test_into_a_file(engine: Engine, tmp_path: Path) -> None:
    saved = engine.save("s", {"n": 1})
    path = tmp_path / "live.json"
    path.write_text('{"n": 2, "mine": true}')
    report = engine.put_back(saved, path=path)
    assert report["plan"]["target"] == {"kind": "file", "path": str(path)}
    assert path.read_bytes() == b'{"n":1}'
    assert report["safety"] is not None and report["safety"]["kind"] == "safety"
    assert engine.restore(report["safety"]) == {"n": 2, "mine": True}
    engine.undo("s")
    assert json.loads(path.read_text()) == {"n": 2, "mine": True}


def test_into_a_file_as_str_and_only_a_component(engine: Engine, tmp_path: Path) -> None:
    saved = engine.save("s", {"n": 1, "m": [1]})
    path = tmp_path / "live.json"
    path.write_text('{"n": 2, "m": [2]}')
    engine.put_back(saved, path=str(path), components="m")
    assert json.loads(path.read_text()) == {"n": 2, "m": [1]}
    engine.put_back(saved, path=str(path), components=["n", "m"])
    assert json.loads(path.read_text()) == {"n": 1, "m": [1]}


def test_what_is_no_json_is_kept_beside(engine: Engine, tmp_path: Path) -> None:
    saved = engine.save("s", {"n": 1})
    path = tmp_path / "live.json"
    path.write_text("torn {")
    report = engine.put_back(saved, path=path)
    assert report["kept_beside"] is not None
    assert Path(report["kept_beside"]).read_text() == "torn {"


def test_the_stores_own_files_are_refused(engine: Engine, store: Path) -> None:
    saved = engine.save("s", {"n": 1})
    for suffix in ("", "-wal", "-shm"):
        path = Path(str(store) + suffix)
        with pytest.raises(dalsegno.InvalidInputError):
            engine.put_back(saved, path=path)
        with pytest.raises(dalsegno.InvalidInputError):
            engine.export(path)
        with pytest.raises(dalsegno.InvalidInputError):
            engine.import_(path)


def test_rollback_of_a_live_file(engine: Engine, tmp_path: Path) -> None:
    engine.save("s", {"n": 1})
    path = tmp_path / "live.json"
    path.write_text('{"n": 2}')
    engine.rollback("s", path=path)
    assert json.loads(path.read_text()) == {"n": 1}


def test_fork(engine: Engine) -> None:
    saved = engine.save("game/1", {"turn": 3})
    assert engine.fork(saved, "game/2", dry_run=True) == saved
    assert engine.sessions() == ["game/1"]
    forked = engine.fork("game/1@latest", "game/2")
    assert forked["operation"] == {"verb": "fork", "from": saved["id"]}
    assert engine.restore("game/2@latest") == {"turn": 3}
    with pytest.raises(dalsegno.ConflictError):
        engine.fork(saved, "game/2")


def test_what_cannot_be_undone_can_be_passed_over(engine: Engine, tmp_path: Path) -> None:
    engine.save("s", {"n": 1})
    engine.save("s", {"n": 2})
    engine.rollback("s")
    (tmp_path / "x.txt").write_text("no JSON")
    report = engine.put_back("s@latest", path=tmp_path / "x.txt")
    assert report["kept_beside"] is not None
    Path(report["kept_beside"]).unlink()
    with pytest.raises(dalsegno.DalsegnoError):
        engine.undo("s")
    skipped = engine.undo_skip("s", dry_run=True)
    assert engine.undo_skip("s") == skipped
    engine.undo("s")
    assert engine.restore("s@latest") == {"n": 2}
