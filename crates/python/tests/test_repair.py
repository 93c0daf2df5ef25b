"""What is damaged is repaired, from a copy or from what is around it, and says so."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

import dalsegno


def _spoil(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


def _saved(path: Path) -> list[str]:
    with dalsegno.open(path) as engine:
        return [engine.save("bot/1", {"volume": n, "queue": [n]})["id"] for n in range(5)]


def test_a_copy_gives_back_what_it_has(tmp_path: Path) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    ids = _saved(path)
    shutil.copy(path, copy)
    _spoil(path, "UPDATE record SET data = x'00'")
    with dalsegno.open(path) as engine:
        plan = engine.repair([copy], dry_run=True)
        assert engine.verify()["damage"]
        repairs = engine.repair([copy])
        assert plan["sessions"] == repairs["sessions"]
        assert {it["how"] for it in repairs["sessions"][0]["snapshots"]} == {"from_source"}
        assert not engine.verify()["damage"]
        assert engine.restore(ids[3]) == {"volume": 3, "queue": [3]}
        assert engine.info(ids[3])["repaired"] is None


def test_without_a_copy_it_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    ids = _saved(path)
    _spoil(
        path, "UPDATE snapshot SET detail = x'00' WHERE rowid = (SELECT max(rowid) FROM snapshot)"
    )

    async def repair() -> dalsegno.results.Repairs:
        async with await dalsegno.aio.open(path) as engine:
            return await engine.repair()

    repairs = asyncio.run(repair())
    assert repairs["sessions"][0]["snapshots"][0]["how"] == "metadata_lost"
    assert repairs["aside"] and all(Path(it).exists() for it in repairs["aside"])
    with dalsegno.open(path) as engine:
        mark = engine.info(ids[4])["repaired"]
        assert mark is not None and mark["lost_metadata"] and not mark["lost_state"]


def test_a_file_that_cannot_be_read_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    ids = _saved(path)
    with path.open("r+b") as file:
        file.write(bytes(4096))
    with pytest.raises(dalsegno.DalsegnoError):
        dalsegno.open(path).sessions()
    built = dalsegno.rebuild(path)
    assert built["kept"] is not None and Path(built["kept"]).exists()
    with dalsegno.open(path) as engine:
        assert [engine.restore(it)["volume"] for it in ids] == [0, 1, 2, 3, 4]
        with pytest.raises(dalsegno.LockedError):
            dalsegno.rebuild(path)
