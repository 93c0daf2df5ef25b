"""What stays and what goes, out and in."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import pytest

import dalsegno
from dalsegno import Engine


def test_names_tags_pins(engine: Engine) -> None:
    saved = engine.save("s", {})
    assert engine.rename(saved, "party")["name"] == "party"
    assert engine.tag("party", "a", "b")["tags"] == ["a", "b"]
    assert engine.untag("party", "a", "z")["tags"] == ["b"]
    assert engine.pin("party")["pinned"]
    with pytest.raises(dalsegno.AccessDeniedError, match="pinned"):
        engine.delete("party")
    assert not engine.unpin("party")["pinned"]
    assert engine.rename("party", None)["name"] is None
    with pytest.raises(dalsegno.InvalidInputError):
        engine.rename(saved, "latest")


def test_delete_and_undelete(engine: Engine) -> None:
    saved = engine.save("s", {"n": 1}, name="gone")
    engine.save("s", {"n": 2})
    assert engine.delete(saved, dry_run=True) == [saved]
    assert engine.info("gone") == saved
    assert engine.delete(saved, grace=timedelta(days=30)) == [saved]
    (trashed,) = engine.trash("s")
    assert trashed["snapshot"]["id"] == saved["id"]
    assert trashed["keep_until"] - trashed["deleted_at"] == timedelta(days=30)
    assert trashed["deleted_at"].tzinfo is UTC
    with pytest.raises(dalsegno.NotFoundError, match="trash"):
        engine.info(saved["id"])
    assert len(engine.undelete("gone", dry_run=True)) == 1
    assert engine.undelete("gone")[0]["id"] == saved["id"]
    assert engine.trash() == []
    engine.delete(saved, grace="2 weeks")
    (trashed,) = engine.trash()
    assert trashed["keep_until"] - trashed["deleted_at"] == timedelta(weeks=2)
    with pytest.raises(dalsegno.InvalidInputError, match="soon"):
        engine.delete("s@latest", grace="soon")


def test_purge(engine: Engine) -> None:
    kept = [engine.save("s", {"n": n, "x": "y" * 1000}) for n in range(4)]
    engine.delete(*kept[:3])
    assert engine.purge()["snapshots"] == 0
    with pytest.raises(dalsegno.InvalidInputError):
        engine.purge(kept[0], everything=True)
    with pytest.raises(dalsegno.InvalidInputError):
        engine.purge(session="s")
    assert engine.purge(kept[0], dry_run=True)["snapshots"] == 1
    assert engine.purge(kept[0])["snapshots"] == 1
    assert len(engine.trash()) == 2
    assert engine.purge(everything=True, session="s")["snapshots"] == 2
    assert engine.trash() == []
    assert engine.restore("s@latest")["n"] == 3


def test_cleanup(engine: Engine) -> None:
    saved = [engine.save("s", {"n": n}) for n in range(5)]
    plan = engine.cleanup(keep_last=2, dry_run=True)
    (session,) = plan["sessions"]
    assert [snapshot["keep"] for snapshot in session["snapshots"]] == [False] * 3 + [True] * 2
    assert session["snapshots"][0]["reason"] == {"rule": "unkept"}
    assert session["snapshots"][3]["reason"] == {"rule": "last", "count": 2}
    assert session["snapshots"][3]["id"] == saved[3]["id"]
    cleaned = engine.cleanup("s", keep_last=2)
    assert cleaned["deleted"] == 3 and len(engine.trash()) == 3
    assert engine.cleanup(older_than=timedelta(days=1))["deleted"] == 0
    assert engine.cleanup(older_than="1 day", dry_run=True)["deleted"] == 0
    assert engine.cleanup("s", keep_last=1, purge=True)["purged"]["snapshots"] == 1


def test_cleanup_without_rules_goes_by_policies(engine: Engine) -> None:
    for n in range(3):
        engine.save("bot/1", {"n": n})
        engine.save("game/1", {"n": n})
    with pytest.raises(dalsegno.InvalidInputError, match="policy"):
        engine.cleanup()
    engine.set_policy("bot/*", keep_last=1, grace="1 day")
    assert engine.policies() == [
        {"pattern": "bot/*", "rules": {"keep_last": 1}, "grace": "1 day"}
    ] or engine.policies()[0]["rules"] == {"keep_last": 1}
    assert engine.cleanup()["deleted"] == 2
    assert len(list(engine.list("game/1"))) == 3
    engine.remove_policy("bot/*")
    assert engine.policies() == []
    with pytest.raises(dalsegno.NotFoundError):
        engine.remove_policy("bot/*")
    with pytest.raises(dalsegno.InvalidInputError, match="no rules"):
        engine.set_policy("bot/*")


def test_contradicting_rules_are_refused(engine: Engine) -> None:
    engine.save("s", {})
    with pytest.raises(dalsegno.InvalidInputError, match="contradict"):
        engine.cleanup(keep_last=1, keep_nothing=True)
    with pytest.raises(dalsegno.InvalidInputError, match="keep_last is 0"):
        engine.cleanup(keep_last=0)


def test_export_and_import(engine: Engine, tmp_path: Path) -> None:
    saved = engine.save("a", {"n": 1}, name="one")
    engine.save("b", {"n": 2})
    path = tmp_path / "all.json"
    assert engine.export(path) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert engine.export(str(tmp_path / "a.json"), session="a") == 1
    with dalsegno.open(tmp_path / "other.db") as other:
        imported = other.import_(path)
        assert [s["session"] for s in imported["added"]] == ["a", "b"]
        assert imported["added"][0]["operation"] == {"verb": "import", "from": saved["id"]}
        assert other.restore("one") == {"n": 1}
        assert other.import_(path.read_bytes()) == {"added": [], "present": 2}
        assert other.import_(str(path))["present"] == 2
        with pytest.raises(dalsegno.InvalidInputError):
            other.import_(b"{}")
        with pytest.raises(dalsegno.NotFoundError):
            other.import_(tmp_path / "nosuch.json")
