"""Chat sessions kept as one JSON file each: what a bad save cut short is put back from its backup.

The names, parameters and answers are those of the web UI's `api.session_recovery`, so that a module with nothing
in it but `from dalsegno.hermes import *` takes its place. `save_session` and `update_session` are the saves that
make the backups. `dalsegno.hermes.aio` has the same for asyncio.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, cast

from .. import _dalsegno
from ..errors import DalsegnoError, InvalidInputError
from ..state import to_text

__all__ = [
    "Generation",
    "Path",
    "Recovery",
    "Saved",
    "Scan",
    "Status",
    "_msg_count",
    "delete_session",
    "generations",
    "inspect_session_recovery_status",
    "json",
    "logger",
    "logging",
    "recover_all_sessions_on_startup",
    "recover_session",
    "save_session",
    "shutil",
    "update_session",
]

StrPath: TypeAlias = str | PathLike[str]

logger = logging.getLogger("api.session_recovery")
"""The logger of the module that this one takes the place of."""


class Status(TypedDict):
    """A session's file and its backup, counted."""

    session_id: str
    """The name of the file without `.json`."""
    live_messages: int
    """The messages of the file; -1 where it cannot be read as a session."""
    bak_messages: int
    """The messages of the backup; -1 where there is none or it cannot be read."""
    recommend: Literal["restore", "no_action", "no_backup"]


class Recovery(Status):
    """What became of a session."""

    restored: bool
    """Whether the session's file was restored."""
    error: NotRequired[str]
    """Why not, where it should have been; the file is then as it was."""


class Scan(TypedDict):
    """What became of the sessions of a folder."""

    scanned: int
    """The files that were looked at, readable or not."""
    restored: int
    details: list[Recovery]
    """Those that were restored."""


class Saved(TypedDict):
    """What a save did."""

    messages: int
    before: int
    """The messages of the file before; -1 where there was none that could be read."""
    backup: Path | None
    """The backup that has what went, where messages went without an intent: the file before, or one with still more."""
    displaced: Path | None
    """Where the file before is kept, because it could not be read as a session."""


class Generation(TypedDict):
    """An earlier state that is kept beside the session's file."""

    path: Path
    at: datetime
    """When it was displaced."""
    intent: str | None
    """What the save said that displaced it; None where it lost messages without a word."""
    messages: int
    """-1 where only the intent is still kept."""


def _msg_count(p: StrPath) -> int:
    """How many messages the session's file has; -1 where it cannot be read as a session.

    What counts is what `json.loads(p.read_text(encoding="utf-8"))` takes. Memory does not grow with the file.
    """
    return _dalsegno.hermes_count(p)


_Counter: TypeAlias = Callable[[Path], int]

_own_count = _msg_count


def _counter() -> _Counter | None:
    """The `_msg_count` that somebody put in the place of ours: here, or in a module that took all names from here."""
    if _msg_count is not _own_count:
        return _msg_count
    own = {
        "inspect_session_recovery_status": inspect_session_recovery_status,
        "logger": logger,
        "recover_all_sessions_on_startup": recover_all_sessions_on_startup,
        "recover_session": recover_session,
    }
    for module in list(sys.modules.values()):
        # Modules that load themselves when they are looked at are not looked at.
        names = module.__dict__ if type(module) is ModuleType else {}
        if all(names.get(name) is thing for name, thing in own.items()):
            count = names.get("_msg_count", _own_count)
            if count is not _own_count:
                return cast(_Counter, count)
    return None


def inspect_session_recovery_status(session_path: StrPath) -> Status:
    """Says whether the session's file is to be restored from its backup. Nothing is created or changed."""
    return _dalsegno.hermes_inspect(session_path, _counter())


def recover_session(session_path: StrPath) -> Recovery:
    """Restores the session's file from its backup, if the backup has more messages.

    Messages that only the file has stay, behind those that come back; what a save took away with an intent stays away. A
    torn or empty file is restored from the newest good state that is kept. The file is replaced whole or not at all, and keeps its mode and owner. What stood there is kept beside it, as
    `<sid>.json.displaced-<time>`. Processes that recover and save through this package come one after the other.
    """
    recovery, displaced, messages = _dalsegno.hermes_recover(session_path, _counter())
    if "error" in recovery:
        logger.warning("recover_session: %s was not restored: %s", session_path, recovery["error"])
    if recovery["restored"]:
        _tell(Path(session_path).name, recovery, displaced, messages)
    return recovery


def _tell(name: str, recovery: Recovery, displaced: Path | None, messages: int) -> None:
    logger.warning(
        "recover_session: restored %s from its backup: %d messages now, %d before%s",
        name,
        messages,
        recovery["live_messages"],
        f"; what stood there is kept in {displaced}" if displaced else "",
    )


def recover_all_sessions_on_startup(session_dir: StrPath) -> Scan:
    """Restores each session of the folder whose backup has more messages, as `recover_session` does.

    It goes by the files that end in `.json` and do not begin with `_`. What is only nested too deep or may not be read
    may be whole, and is left alone; like whatever else could not be restored, it is logged, and stops nothing. A second
    run does nothing; a folder that is not there has no sessions.
    """
    where = "recover_all_sessions_on_startup"
    try:
        scanned, restored, skipped = _dalsegno.hermes_recover_all(session_dir, _counter(), False)
    except DalsegnoError as error:
        logger.warning("%s: %s", where, error)
        return {"scanned": 0, "restored": 0, "details": []}
    for recovery, displaced, messages in restored:
        _tell(f"{recovery['session_id']}.json", recovery, displaced, messages)
    for path, why in skipped:
        logger.warning("%s: %s was left alone: %s", where, path.name, why)
    if restored:
        logger.warning(
            "%s: %d of %d sessions were shorter than their backups and have been restored",
            where,
            len(restored),
            scanned,
        )
    details = [recovery for recovery, _, _ in restored]
    return {"scanned": scanned, "restored": len(details), "details": details}


Session: TypeAlias = dict[str, Any]


def save_session(
    session_path: StrPath, session: Session | str | bytes, *, intent: str | None = None
) -> Saved:
    """Writes the session's file, whole or not at all. A session of fewer messages than the file has is only written once
    the file before is kept as its backup, `<sid>.json.bak`; a backup that has still more stays, and the file before is kept
    beside it.

    `session` is the session itself, or its JSON text. `intent` says that messages go on purpose: `"clear"`, `"undo"`,
    `"compress"`, or words of your own. Then no start of the program brings them back.

    Raises `InvalidInputError` for what is no session: no object with a list `messages`; `LockedError` where another process
    was at work for 20 seconds; `AccessDeniedError` or `StorageError` as the disk answers, also where the backup cannot be made.
    Then the file is as it was.
    """
    return _dalsegno.hermes_save(session_path, text_of(session), intent)


def update_session(
    session_path: StrPath,
    change: Callable[[Session | None], Session | str | bytes | None],
    *,
    intent: str | None = None,
) -> Saved | None:
    """Reads the session's file, lets `change` make the new session of it, and saves that, with no other process in between;
    `intent` as of `save_session`.

    `change` is given None where there is no file. Where it answers None or raises, nothing is changed. It must not save
    or recover a session of the same folder, which would wait for itself.

    Raises what `save_session` and `change` raise; `InvalidInputError` where the file cannot be read as JSON.
    """

    def changed(before: bytes | None) -> bytes | None:
        after = change(None if before is None else _read(session_path, before))
        return None if after is None else text_of(after)

    return _dalsegno.hermes_update(session_path, changed, intent)


def delete_session(session_path: StrPath) -> bool:
    """Deletes the session: its file and its backup are kept under other names for 30 days, and nothing brings them back,
    also where a new session has the same name. Says whether there was anything.

    Raises `LockedError` where another process was at work for 20 seconds; `AccessDeniedError` or `StorageError` as the disk
    answers.
    """
    return _dalsegno.hermes_delete(session_path)


def generations(session_path: StrPath) -> list[Generation]:
    """The earlier states that are kept beside the session's file and its backup, the newest first.

    Raises `AccessDeniedError` or `StorageError` where the folder cannot be listed.
    """
    return _dalsegno.hermes_generations(session_path)


def _read(path: StrPath, text: bytes) -> Session:
    try:
        return cast(Session, json.loads(text.decode()))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error}; recover_session puts its backup back, if there is one"
        ) from error


def text_of(session: Session | str | bytes) -> bytes:
    if isinstance(session, bytes):
        return session
    if not isinstance(session, str):
        try:
            # As the web UI writes them: NaN too.
            session = json.dumps(session, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            # Whatever else it is, or why it cannot be written.
            return bytes(to_text(session))
    # A lone surrogate has no UTF-8; this writes it as JSON's own escape.
    return session.encode("utf-8", "backslashreplace")
