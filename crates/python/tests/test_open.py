"""Where a store is, and opening and closing it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import dalsegno
from dalsegno import Engine


def test_a_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    with dalsegno.open(tmp_path / "new" / "folder") as engine:
        assert engine.path == tmp_path / "new" / "folder" / "store.db"
        engine.save("s", {"n": 1})
    with dalsegno.open(str(tmp_path / "new" / "folder"), create=False) as engine:
        assert engine.restore("s@latest") == {"n": 1}
    assert engine.path.stat().st_mode & 0o777 == 0o600


def test_a_missing_store_is_a_file_not_found(tmp_path: Path) -> None:
    for create, read_only in ((False, False), (True, True)):
        with pytest.raises(FileNotFoundError) as caught:
            dalsegno.open(tmp_path / "no.db", create=create, read_only=read_only)
        assert isinstance(caught.value, dalsegno.StoreNotFoundError)
        assert isinstance(caught.value, dalsegno.NotFoundError)
    assert list(tmp_path.iterdir()) == []


def test_without_a_path_as_the_command_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, home, named = tmp_path / "here", tmp_path / "home", tmp_path / "named.db"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("DALSEGNO_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    with pytest.raises(dalsegno.StoreNotFoundError, match="DALSEGNO_STORE"):
        dalsegno.open(create=False)
    dalsegno.open(home / "dalsegno").close()
    with dalsegno.open() as engine:
        assert engine.path == home / "dalsegno" / "store.db"
    dalsegno.open(here / ".dalsegno").close()
    with dalsegno.open() as engine:
        assert engine.path == here / ".dalsegno" / "store.db"
    monkeypatch.setenv("DALSEGNO_STORE", str(named))
    with dalsegno.open() as engine:
        assert engine.path == named


def test_the_first_one_is_made_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DALSEGNO_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    with dalsegno.open() as engine:
        assert engine.path == tmp_path / ".dalsegno" / "store.db"


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, and no store" * 100)
    with pytest.raises(dalsegno.InvalidInputError):
        dalsegno.open(path)
    assert path.read_text().startswith("these are my notes")
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (n)")
    connection.close()
    with pytest.raises(dalsegno.DalsegnoError):
        dalsegno.open(other)


def test_read_only(store: Path) -> None:
    with dalsegno.open(store) as engine:
        engine.save("s", {"n": 1})
        assert not engine.read_only
    before = store.read_bytes()
    with dalsegno.open(store, read_only=True) as engine:
        assert engine.read_only
        assert engine.restore("s@latest") == {"n": 1}
        for change in (
            lambda: engine.save("s", {"n": 2}),
            lambda: engine.pin("s@latest"),
            lambda: engine.delete("s@latest"),
        ):
            with pytest.raises(PermissionError, match="opened for reading only"):
                change()
        assert engine.restore("s@latest") == {"n": 1}
    assert store.read_bytes() == before


def test_a_reader_sees_what_is_written_meanwhile(store: Path, engine: Engine) -> None:
    engine.save("s", {"n": 1})
    with dalsegno.open(store, read_only=True) as reader:
        engine.save("s", {"n": 2})
        assert reader.restore("s@latest") == {"n": 2}


def test_a_closed_engine_says_so(store: Path) -> None:
    engine = dalsegno.open(store)
    assert repr(engine) == f"<dalsegno.Engine '{store}'>"
    engine.close()
    engine.close()
    assert engine.closed and "(closed)" in repr(engine)
    assert engine.path == store
    for use in (engine.flush, engine.sessions, lambda: engine.save("s", {}), engine.list):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_with_closes_after_an_error_too(store: Path) -> None:
    with pytest.raises(KeyError), dalsegno.open(store) as engine:
        raise KeyError
    assert engine.closed


def test_close_finishes_what_was_submitted(store: Path) -> None:
    engine = dalsegno.open(store)
    tickets = [engine.submit(f"s/{n}", {"n": n}) for n in range(100)]
    engine.close()
    assert all(ticket.done() for ticket in tickets)
    with dalsegno.open(store) as again:
        assert len(again.sessions()) == 100


def test_the_store_is_found_again_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with dalsegno.open("store.db") as engine:
        assert engine.path == tmp_path / "store.db"
        monkeypatch.chdir("/")
        engine.save("s", {"n": 1})
        assert engine.restore("s@latest") == {"n": 1}


def test_two_engines_and_another_process_on_one_store(store: Path, engine: Engine) -> None:
    with dalsegno.open(store) as other:
        engine.save("s", {"n": 1})
        other.save("s", {"n": 2})
        program = (
            "import sys, dalsegno\n"
            "with dalsegno.open(sys.argv[1], create=False) as engine:\n"
            "    engine.save('s', {'n': engine.restore('s@latest')['n'] + 1})\n"
        )
        subprocess.run([sys.executable, "-c", program, str(store)], check=True)
        assert engine.restore("s@latest") == other.restore("s@latest") == {"n": 3}


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), float("inf"), 1e30])
def test_a_busy_timeout_that_is_none_is_refused(store: Path, timeout: float) -> None:
    with pytest.raises(dalsegno.InvalidInputError, match="busy_timeout"):
        dalsegno.open(store, busy_timeout=timeout)


def test_a_store_that_another_process_holds_is_locked(store: Path) -> None:
    with dalsegno.open(store, busy_timeout=0.05) as engine:
        engine.save("s", {"n": 1})
        program = (
            "import sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "connection.execute('BEGIN IMMEDIATE')\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n"
        )
        command = [sys.executable, "-c", program, str(store)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(dalsegno.LockedError):
                engine.save("s", {"n": 2})
            assert engine.restore("s@latest") == {"n": 1}
            holder.communicate()
        engine.save("s", {"n": 3})
