"""Backups: made, listed, proved, restored, tried."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import dalsegno
from dalsegno import results


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


def damage(path: str, share: float) -> None:
    """Overwrites so much of the middle of a file."""
    content = bytearray(Path(path).read_bytes())
    first = len(content) // 4
    last = first + int(len(content) * share)
    content[first:last] = bytes(len(content[first:last]))
    Path(path).write_bytes(content)


def test_a_backup_is_made_listed_proved_and_restored(
    engine: dalsegno.Engine, folder: Path, tmp_path: Path
) -> None:
    saved = engine.save("chat/42", {"messages": ["hello"]})
    made = engine.back_up(folder)
    assert made["passed_over"] == [] and made["found_bytes"] == 0
    backup = made["backup"]
    assert (backup["kind"], backup["base"], backup["snapshots"]) == ("full", None, 1)
    engine.save("chat/42", {"messages": ["hello", "again"]})
    listed = dalsegno.list_backups(folder)
    assert listed["complete"] == [backup]
    assert listed["unfinished"] == [] and listed["unreadable"] == []
    checked = dalsegno.verify_backup(folder)
    assert checked["whole"] and checked["archives"][0]["backup"] == backup
    planned = dalsegno.restore_backup(folder, tmp_path / "new.db", dry_run=True)
    assert planned["backup"] == backup and not (tmp_path / "new.db").exists()
    assert planned["lost"] == [] and "verification" not in planned
    restored = dalsegno.restore_backup(folder, tmp_path / "new.db")
    assert restored["lost"] == [] and restored["verification"]["damage"] == []
    with dalsegno.open(tmp_path / "new.db", create=False) as new:
        assert new.info("chat/42@latest") == saved
        assert new.restore("chat/42@latest") == {"messages": ["hello"]}
    with pytest.raises(dalsegno.ConflictError, match="exists already"):
        dalsegno.restore_backup(folder, tmp_path / "new.db")
    tried = dalsegno.drill(folder, scratch=tmp_path)
    assert tried["backup"] == backup and tried["verification"]["states"] == 1
    assert sorted(tmp_path.iterdir()) == sorted(
        [folder, tmp_path / "new.db", *tmp_path.glob("*.db-*"), engine.path]
    )


def test_what_changed_goes_on_from_others(engine: dalsegno.Engine, folder: Path) -> None:
    engine.save("s", {"n": 1})
    first = engine.back_up(folder, incremental=True)["backup"]
    assert first["kind"] == "full"
    engine.save("s", {"n": 2})
    second = engine.back_up(folder, incremental=True)["backup"]
    assert (second["kind"], second["base"]) == ("incremental", first["id"])
    third = engine.back_up(folder, differential=first["id"][:8])["backup"]
    assert (third["kind"], third["base"]) == ("differential", first["id"])
    fourth = engine.back_up(folder, differential=Path(first["path"]))["backup"]
    assert fourth["base"] == first["id"]
    with pytest.raises(dalsegno.NotFoundError, match="there is no backup 'ffff"):
        engine.back_up(folder, differential="ffffffff0")
    with pytest.raises(dalsegno.InvalidInputError, match="not both"):
        engine.back_up(folder, incremental=True, differential=first["id"])
    for parity in (51, 300, -1):
        with pytest.raises(dalsegno.InvalidInputError, match="0 to 50"):
            engine.back_up(folder, parity=parity)
    known = engine.known_backups()
    assert [it["id"] for it in known] == [it["id"] for it in (first, second, third, fourth)]
    Path(third["path"]).unlink()
    assert [it["is_there"] for it in engine.known_backups()] == [True, True, False, True]


def test_damage_is_told_and_restored_around(
    engine: dalsegno.Engine, folder: Path, tmp_path: Path
) -> None:
    for n in range(30):
        engine.save(f"s/{n}", {"words": os.urandom(4000).hex()})
    made = engine.back_up(folder, parity=30)["backup"]
    damage(made["path"], 0.15)
    checked = dalsegno.verify_backup(folder)
    (archive,) = checked["archives"]
    assert checked["whole"] and archive["health"] is not None and archive["health"]["damaged"]
    damage(made["path"], 0.6)
    checked = dalsegno.verify_backup(made["path"])
    assert not checked["whole"]
    with pytest.raises(dalsegno.DamagedError):
        dalsegno.restore_backup(folder, tmp_path / "new.db")
    with pytest.raises(dalsegno.DamagedError):
        dalsegno.drill(folder)
    assert not (tmp_path / "new.db").exists()
    with pytest.raises(dalsegno.NotFoundError):
        dalsegno.verify_backup(tmp_path / "nowhere")
    with pytest.raises(dalsegno.NotFoundError):
        dalsegno.list_backups(tmp_path / "nowhere")


def test_what_is_left_is_salvaged(engine: dalsegno.Engine, folder: Path, tmp_path: Path) -> None:
    for n in range(60):
        engine.save(f"s/{n}", {"words": os.urandom(4000).hex()})
    made = engine.back_up(folder, parity=0)["backup"]
    damage(made["path"], 0.05)
    with pytest.raises(dalsegno.DamagedError, match="has lost"):
        dalsegno.restore_backup(folder, tmp_path / "new.db")
    salvaged = dalsegno.restore_backup(folder, tmp_path / "new.db", salvage=True)
    assert salvaged["lost"]
    with dalsegno.open(tmp_path / "new.db") as new:
        assert 0 < len(new.sessions())


def test_one_session_comes_back(engine: dalsegno.Engine, folder: Path, tmp_path: Path) -> None:
    engine.save("chat/1", {"n": 1})
    kept = engine.save("chat/1", {"n": 2})
    engine.save("chat/2", {"n": 0})
    engine.back_up(folder)
    engine.save("chat/1", {"n": 3})
    with dalsegno.open(tmp_path / "other.db") as other:
        plan = other.restore_session(folder, "chat/1", dry_run=True)
        assert (len(plan["absent"]), plan["newest"]) == (2, kept)
        assert other.sessions() == []
        restored = other.restore_session(folder, "chat/1", as_name="chat/one")
        assert (len(restored["added"]), restored["present"]) == (2, 0)
        assert other.sessions() == ["chat/one"]
        assert other.restore("chat/one@latest") == {"n": 2}
        with pytest.raises(dalsegno.NotFoundError, match="no session 'chat/3'"):
            other.restore_session(folder, "chat/3")
    again = engine.restore_session(folder, "chat/1")
    assert again["added"] == [] and engine.restore("chat/1@latest") == {"n": 2}
    engine.restore_session(folder, "chat/1", as_name="then", at=kept["created_at"])
    assert engine.restore("then@latest") == {"n": 2}


def test_an_encrypted_store_has_encrypted_backups(folder: Path, tmp_path: Path) -> None:
    key = dalsegno.generate_key()
    with dalsegno.open(tmp_path / "sealed.db", key=key) as sealed:
        sealed.save("chat/1", {"word": "quixotry"})
        made = sealed.back_up(folder)["backup"]
        assert made["encrypted"]
        sealed.save("chat/2", {})
        erased = sealed.erase_session("chat/1")
        assert [it["id"] for it in erased["backups"]] == [made["id"]]
    for refused in (dalsegno.generate_key(), None):
        with pytest.raises(dalsegno.WrongKeyError):
            dalsegno.verify_backup(folder, key=refused)
        with pytest.raises(dalsegno.WrongKeyError):
            dalsegno.restore_backup(folder, tmp_path / "new.db", key=refused)
        with pytest.raises(dalsegno.WrongKeyError):
            dalsegno.drill(folder, key=refused)
    assert dalsegno.verify_backup(folder, key=key)["whole"]
    file = tmp_path / "key"
    file.write_text(key)
    file.chmod(0o600)
    assert dalsegno.drill(folder, key_file=file)["verification"]["states"] == 1
    with dalsegno.open(tmp_path / "plain.db") as plain:
        with pytest.raises(dalsegno.WrongKeyError):
            plain.restore_session(folder, "chat/1")
        plain.restore_session(folder, "chat/1", key=key)
        assert plain.restore("chat/1@latest") == {"word": "quixotry"}
    with (
        dalsegno.open(tmp_path / "sealed.db", key=key) as sealed,
        pytest.raises(dalsegno.ConflictError, match="erased"),
    ):
        sealed.restore_session(folder, "chat/1")


def test_progress_is_told_and_may_cancel(
    engine: dalsegno.Engine, folder: Path, tmp_path: Path
) -> None:
    engine.save("s", {"words": os.urandom(4000).hex()})
    told: list[tuple[str, int, int | None]] = []
    threads: set[int] = set()

    def progress(step: results.BackupStep, done: int, total: int | None) -> None:
        told.append((step, done, total))
        threads.add(threading.get_ident())
        # Who is told may use the store.
        assert engine.sessions() == ["s"]

    engine.back_up(folder, progress=progress)
    assert {step for step, _, _ in told} >= {"reading", "parity"}
    assert threads == {threading.get_ident()}
    steps: list[str] = []
    dalsegno.restore_backup(
        folder, tmp_path / "one.db", progress=lambda step, done, total: steps.append(step)
    )
    assert {"checking", "restoring", "verifying"} <= set(steps)

    def raises(*_: object) -> None:
        raise ZeroDivisionError("enough")

    for step in ("checking", "restoring", "verifying"):
        into = tmp_path / f"{step}.db"

        def until(at: results.BackupStep, *_: object, step: str = step) -> bool:
            return at != step

        with pytest.raises(dalsegno.StorageError, match="cancelled"):
            dalsegno.restore_backup(folder, into, progress=until)
        assert not into.exists()
    with pytest.raises(ZeroDivisionError, match="enough") as raised:
        engine.back_up(folder / "more", progress=raises)
    assert raised.value.__notes__ == ["cancelled"]
    assert dalsegno.list_backups(folder / "more")["complete"] == []
    # It is gone on with.
    engine.back_up(folder / "more")
    found = dalsegno.list_backups(folder / "more")
    assert len(found["complete"]) == 1 and found["unfinished"] == []


def test_a_file_of_a_store_that_is_open_is_left_alone(
    engine: dalsegno.Engine, folder: Path
) -> None:
    engine.save("s", {})
    calls: list[Any] = [
        lambda: dalsegno.list_backups(engine.path),
        lambda: dalsegno.verify_backup(engine.path),
        lambda: dalsegno.restore_backup(engine.path, folder),
        lambda: dalsegno.drill(engine.path),
        lambda: engine.restore_session(engine.path, "s"),
        lambda: engine.back_up(engine.path),
    ]
    for call in calls:
        with pytest.raises(dalsegno.InvalidInputError, match="belongs to the store itself"):
            call()


INTERRUPTED = """
import os, queue, signal, sys, threading, dalsegno

path, folder = sys.argv[1:]
with dalsegno.open(path) as engine:
    for attempt in range(100):
        # Its put is no Python code, in which a signal's handler would run by itself.
        told = queue.SimpleQueue()
        sender = threading.Thread(
            target=lambda: (told.get(), os.kill(os.getpid(), signal.SIGINT))
        )
        sender.start()
        into = os.path.join(folder, str(attempt))
        try:
            try:
                engine.back_up(into, progress=told.put)
            finally:
                sender.join()
        except KeyboardInterrupt as error:
            # Without a note, the backup was over before.
            if hasattr(error, "__notes__"):
                print(*error.__notes__, len(dalsegno.list_backups(into)["complete"]))
                break
    print(len(engine.sessions()))
"""


def test_ctrl_c_is_heard(engine: dalsegno.Engine, folder: Path) -> None:
    for n in range(200):
        engine.submit(f"s/{n}", {"words": os.urandom(4000).hex()})
    engine.close()
    program = [sys.executable, "-c", INTERRUPTED, str(engine.path), str(folder)]
    ran = subprocess.run(
        program, capture_output=True, text=True, check=True, preexec_fn=_hears_ctrl_c
    )
    assert ran.stdout == "cancelled 0\n200\n", ran.stdout + ran.stderr


def _hears_ctrl_c() -> None:
    # A shell's background jobs do not.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_who_may(engine: dalsegno.Engine, folder: Path, tmp_path: Path) -> None:
    engine.save("bot/1", {})
    engine.audit_on()
    admin = engine.add_principal("admin", "all=**")
    with dalsegno.open(engine.path, token=admin) as ruled:
        bot = ruled.add_principal("bot", "create,restore=bot/*")
        ruled.back_up(folder)
    with dalsegno.open(engine.path, token=bot) as bots:
        with pytest.raises(dalsegno.AccessDeniedError, match="'admin'"):
            bots.back_up(folder)
        with pytest.raises(dalsegno.AccessDeniedError, match="'admin'"):
            bots.restore_session(folder, "bot/1")
    dalsegno.restore_backup(folder, tmp_path / "new.db", token=admin)
    with dalsegno.open(tmp_path / "new.db", token=admin) as new:
        assert new.audit_log(actions="restore_backup")["entries"]
    with dalsegno.open(engine.path, token=admin) as ruled:
        (denied, _) = ruled.audit_log(actions=["backup"])["entries"]
        assert denied["outcome"] == "denied"


def test_awaited(folder: Path, tmp_path: Path) -> None:
    asyncio.run(in_a_loop(folder, tmp_path))


async def in_a_loop(folder: Path, tmp_path: Path) -> None:
    async with await dalsegno.aio.open(tmp_path / "store.db") as engine:
        await engine.save("s", {"n": 1})
        made = (await engine.back_up(folder))["backup"]
        assert [it["id"] for it in await engine.known_backups()] == [made["id"]]
        assert (await dalsegno.aio.list_backups(folder))["complete"] == [made]
        assert (await dalsegno.aio.verify_backup(folder))["whole"]
        assert (await dalsegno.aio.drill(folder))["backup"] == made
        restored = await dalsegno.aio.restore_backup(folder, tmp_path / "new.db")
        assert restored["path"] == str(tmp_path / "new.db")
        assert (await engine.restore_session(folder, "s", as_name="t"))["session"] == "t"

        # Where nobody waits any longer, the work ends.
        began, goes_on = threading.Event(), threading.Event()
        seen: list[str] = []

        def progress(step: str, done: int, total: int | None) -> None:
            seen.append(step)
            began.set()
            goes_on.wait()

        task = asyncio.create_task(engine.back_up(tmp_path / "other", progress=progress))
        await asyncio.to_thread(began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        goes_on.set()
        await engine.close()
        assert len(seen) == 1
    assert dalsegno.list_backups(tmp_path / "other")["complete"] == []
