"""Chat session files, as the web UI's `session_recovery` has them."""

# Sessions have any shape here.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false, reportPrivateUsage=false

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dalsegno
import dalsegno.hermes.aio
from dalsegno import hermes


def write(path: Path, messages: int, **more: Any) -> Path:
    path.write_text(json.dumps({**more, "messages": [{"n": n} for n in range(messages)]}))
    return path


def pair(folder: Path, live: int, backup: int, sid: str = "20261121_0042") -> Path:
    write(folder / f"{sid}.json.bak", backup)
    return write(folder / f"{sid}.json", live)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("as_given", [Path, str])
def test_the_documented_shapes(tmp_path: Path, as_given: type) -> None:
    path = pair(tmp_path, 2, 5, "a.b")
    status = hermes.inspect_session_recovery_status(session_path=as_given(path))
    assert list(status.items()) == [
        ("session_id", "a.b"),
        ("live_messages", 2),
        ("bak_messages", 5),
        ("recommend", "restore"),
    ]
    assert names(tmp_path) == ["a.b.json", "a.b.json.bak"]
    recovery = hermes.recover_session(session_path=as_given(path))
    assert list(recovery.items()) == [*status.items(), ("restored", True)]
    assert hermes._msg_count(path) == 5
    again = hermes.recover_session(path)
    assert again == {**again, "live_messages": 5, "recommend": "no_action", "restored": False}
    write(path, 1)
    scan = hermes.recover_all_sessions_on_startup(session_dir=as_given(tmp_path))
    assert list(scan) == ["scanned", "restored", "details"]
    assert (scan["scanned"], scan["restored"]) == (1, 1)
    assert scan["details"] == [{**status, "live_messages": 1, "restored": True}]
    assert hermes.recover_all_sessions_on_startup(tmp_path)["restored"] == 0


def test_a_folder_that_is_not_there_has_no_sessions(tmp_path: Path) -> None:
    nothing: hermes.Scan = {"scanned": 0, "restored": 0, "details": []}
    assert hermes.recover_all_sessions_on_startup(tmp_path / "none") == nothing


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b'{"messages": [1, 2]}', 2),
        (b'{"messages": [NaN, -Infinity]}', 2),
        (b'{"messages": [1], "messages": []}', 0),
        (b'{"\\u006dessages": ["\\ud800"]}', 1),
        (b'\xef\xbb\xbf{"messages": []}', -1),
        (b'{"messages": ["\x01"]}', -1),
        (b'{"messages": []} x', -1),
        (b'{"messages": {}}', -1),
        (b"[]", -1),
        (b"", -1),
        (b"\0" * 64, -1),
        (b'{"messages": [' + b"1" * 4301 + b"]}", -1),
        (b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", -1),
    ],
)
def test_counts_are_those_of_pythons_json(tmp_path: Path, content: bytes, count: int) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert hermes._msg_count(path) == count
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        data = data if isinstance(data, dict) else {}
        messages: Any = data.get("messages")
        expected = len(messages) if isinstance(messages, list) else -1
    except (ValueError, RecursionError):
        expected = -1
    assert expected == count


@pytest.fixture
def host() -> Iterator[ModuleType]:
    """A program's own module that took all names, in place of the original."""
    module = ModuleType("a_programs_session_recovery")
    exec("from dalsegno.hermes import *", module.__dict__)
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def test_a_module_that_takes_all_names_has_the_originals(host: ModuleType) -> None:
    for name in (
        "_msg_count",
        "inspect_session_recovery_status",
        "recover_session",
        "recover_all_sessions_on_startup",
        "logger",
        "logging",
        "json",
        "shutil",
        "Path",
    ):
        assert name in vars(host), name
    assert host.logger.name == "api.session_recovery"


def test_a_count_that_is_put_in_its_place_there_is_asked(
    host: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pair(tmp_path, 9, 3)
    asked: list[Path] = []

    def count(p: Path) -> int:
        asked.append(p)
        return 7 if p.suffix == ".bak" else 2

    monkeypatch.setattr(host, "_msg_count", count)
    status = host.inspect_session_recovery_status(path)
    assert (status["live_messages"], status["bak_messages"]) == (2, 7)
    assert asked == [path, path.with_suffix(".json.bak")]
    assert host.recover_session(path)["restored"]
    monkeypatch.undo()
    assert host.inspect_session_recovery_status(path)["live_messages"] == 3

    def four(_: Path) -> int:
        return 4

    monkeypatch.setattr(hermes, "_msg_count", four)
    assert hermes.inspect_session_recovery_status(path)["live_messages"] == 4


def test_what_a_count_raises_is_raised_or_stops_only_that_session(
    host: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = pair(tmp_path, 0, 1, "bad"), pair(tmp_path, 0, 1, "good")

    def count(p: Path) -> int:
        if p.name.startswith("bad"):
            raise RuntimeError("not this one")
        return hermes._msg_count(p)

    monkeypatch.setattr(host, "_msg_count", count)
    with pytest.raises(RuntimeError, match="not this one"):
        host.recover_session(bad)
    scan = host.recover_all_sessions_on_startup(tmp_path)
    assert (scan["scanned"], [d["session_id"] for d in scan["details"]]) == (2, ["good"])
    assert "bad.json" in caplog.text and "RuntimeError: not this one" in caplog.text
    assert hermes._msg_count(good) == 1


def test_a_restore_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = pair(tmp_path, 2, 5)
    with caplog.at_level(logging.INFO):
        hermes.inspect_session_recovery_status(path)
        assert caplog.records == []
        hermes.recover_session(path)
        hermes.recover_session(path)
    [record] = caplog.records
    assert (record.name, record.levelname) == ("api.session_recovery", "WARNING")
    assert path.name in record.getMessage() and "5" in record.getMessage()
    caplog.clear()
    write(path, 1)
    hermes.recover_all_sessions_on_startup(tmp_path)
    assert [r.levelname for r in caplog.records] == ["WARNING", "WARNING"]


def test_a_session_that_only_nests_too_deep_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = pair(tmp_path, 0, 1)
    deep = '{"messages": [' + "[" * 5000 + "]" * 5000 + "]}"
    path.write_text(deep)
    assert hermes.recover_all_sessions_on_startup(tmp_path)["restored"] == 0
    assert path.read_text() == deep and path.name in caplog.text


def test_an_error_is_in_the_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "x.json.bak", 2)
    (tmp_path / "x.json").mkdir()
    recovery = hermes.recover_session(tmp_path / "x.json")
    assert list(recovery)[-2:] == ["restored", "error"]
    assert not recovery["restored"] and recovery.get("error")
    assert "x.json" in caplog.text
    assert names(tmp_path) == ["x.json", "x.json.bak"]


def test_a_save_that_shrinks_makes_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    session = {"session_id": "a", "messages": [{"text": "grüße \ud800"}, {}]}
    saved = hermes.save_session(path, session)
    assert saved == {"messages": 2, "before": -1, "backup": None, "displaced": None}
    assert json.loads(path.read_text()) == session
    saved = hermes.save_session(str(path), json.dumps({**session, "messages": []}))
    assert saved == {
        "messages": 0,
        "before": 2,
        "backup": tmp_path / "a.json.bak",
        "displaced": None,
    }
    refusals: list[Any] = [{"messages": 1}, b"[]", "torn {"]
    for refused in refusals:
        with pytest.raises(dalsegno.InvalidInputError):
            hermes.save_session(path, refused)
    assert hermes._msg_count(path) == 0


def test_an_update_that_gives_up_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", 2)
    before = path.read_bytes()

    def give_up(_: dict[str, Any] | None) -> dict[str, Any]:
        raise KeyError("messages")

    with pytest.raises(KeyError, match="messages"):
        hermes.update_session(path, give_up)
    assert hermes.update_session(path, lambda _: None) is None
    assert path.read_bytes() == before and names(tmp_path) == ["a.json"]

    def begin(session: dict[str, Any] | None) -> dict[str, Any]:
        assert session is None
        return {"messages": []}

    assert hermes.update_session(tmp_path / "new.json", begin) is not None
    path.write_text("torn {")
    with pytest.raises(dalsegno.InvalidInputError, match="recover_session"):
        hermes.update_session(path, lambda s: s)


def _talk(path: Path, who: int, messages: int) -> None:
    for n in range(messages):
        said = [who, n]

        def say(session: dict[str, Any] | None, said: list[int] = said) -> dict[str, Any]:
            session = session or {"messages": []}
            return {**session, "messages": [*session["messages"], said]}

        hermes.update_session(path, say)
        hermes.recover_session(path)


def test_no_message_is_lost_between_processes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    spawn = multiprocessing.get_context("fork")
    talkers = [spawn.Process(target=_talk, args=(path, who, 8)) for who in range(4)]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()
    assert [talker.exitcode for talker in talkers] == [0] * 4
    said = json.loads(path.read_text())["messages"]
    assert sorted(said) == [[who, n] for who in range(4) for n in range(8)]
    assert names(tmp_path) == ["a.json"]


def test_the_twins_that_are_awaited(tmp_path: Path) -> None:
    aio = dalsegno.hermes.aio

    async def talk() -> None:
        path = pair(tmp_path, 2, 5)
        assert (await aio.inspect_session_recovery_status(path))["recommend"] == "restore"
        assert (await aio.recover_session(path))["restored"]
        assert (await aio.recover_all_sessions_on_startup(tmp_path))["scanned"] == 1
        session = {"messages": [1]}
        saving = asyncio.ensure_future(aio.save_session(path, session))
        await asyncio.sleep(0)
        session["messages"].append(2)
        assert (await saving)["messages"] == 1
        updated = await aio.update_session(path, lambda s: {**(s or {}), "messages": []})
        assert updated is not None and updated["backup"] is not None

    asyncio.run(talk())


def test_paths_of_any_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json"))
    hermes.save_session(path, {"messages": [1]})
    assert hermes._msg_count(path) == 1


def test_an_unrelated_count_of_the_same_name_is_not_asked(tmp_path: Path) -> None:
    module = ModuleType("an_unrelated_module")
    module.__dict__.update(
        recover_session=hermes.recover_session, _msg_count=lambda session: session["x"]
    )
    sys.modules[module.__name__] = module
    try:
        assert hermes.recover_session(pair(tmp_path, 1, 2))["restored"]
    finally:
        del sys.modules[module.__name__]


def test_the_end_of_the_program_ends_a_scan(
    host: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sid in ("a", "b"):
        pair(tmp_path, 0, 1, sid)

    def count(p: Path) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(host, "_msg_count", count)
    with pytest.raises(KeyboardInterrupt):
        host.recover_all_sessions_on_startup(tmp_path)


def test_nan_can_be_saved_and_updated(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"messages": [NaN]}')
    hermes.update_session(path, lambda s: {**(s or {}), "more": float("inf")})
    assert path.read_text() == '{"messages":[NaN],"more":Infinity}'
    hermes.save_session(path, '{"messages": ["\ud83d"]}')
    assert json.loads(path.read_text())["messages"] == ["\ud83d"]


def test_what_another_program_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", 1)

    def change(session: dict[str, Any] | None) -> dict[str, Any]:
        write(path, 2)
        return {"messages": [1, 2, 3]}

    with pytest.raises(dalsegno.ConflictError):
        hermes.update_session(path, change)
    assert hermes._msg_count(path) == 2 and names(tmp_path) == ["a.json"]


def test_a_fork_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", 1)
    reading, writing = os.pipe()
    children: list[int] = []

    def fork(session: dict[str, Any] | None) -> dict[str, Any] | None:
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
        children.append(child)
        return session

    hermes.update_session(path, fork)
    try:
        assert hermes.save_session(path, {"messages": [1, 2]})["messages"] == 2
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(children[0], 0)


def test_clear_undo_and_deletion_stay_done(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    ten = {"messages": list(range(10))}
    hermes.save_session(path, ten)
    assert hermes.save_session(path, {"messages": []}, intent="clear")["backup"] is None
    kept = hermes.generations(path)
    assert [(it["intent"], it["messages"]) for it in kept] == [("clear", 10)]
    assert json.loads(kept[0]["path"].read_text()) == ten
    assert kept[0]["at"].tzinfo is not None
    assert hermes.recover_all_sessions_on_startup(tmp_path)["restored"] == 0
    undone = hermes.update_session(path, lambda _: {"messages": [1]}, intent="undo")
    assert undone is not None
    assert undone["messages"] == 1
    assert hermes.delete_session(path)
    assert not hermes.delete_session(path)
    assert not hermes.recover_session(path)["restored"]
    assert not path.exists()
    with pytest.raises(dalsegno.InvalidInputError):
        hermes.save_session(path, ten, intent=" ")


def test_a_newer_turn_is_not_lost_to_a_longer_backup(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "1.json"
    for messages in [list(range(10)), list(range(8)), [*range(8), "newer"]]:
        hermes.save_session(path, {"messages": messages})
    with caplog.at_level(logging.WARNING):
        assert hermes.recover_all_sessions_on_startup(tmp_path)["restored"] == 1
    assert json.loads(path.read_text())["messages"] == [*range(10), "newer"]
    assert "11 messages now, 9 before" in caplog.text

    async def later() -> None:
        await dalsegno.hermes.aio.save_session(path, {"messages": []}, intent="clear")
        assert (await dalsegno.hermes.aio.generations(path))[0]["intent"] == "clear"
        assert await dalsegno.hermes.aio.delete_session(path)

    asyncio.run(later())
