"""The names of `dalsegno.hermes`, to be awaited: no call blocks the event loop.

A call that is cancelled is done wholly or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .. import hermes as plain
from .._threads import threads
from . import Generation, Recovery, Saved, Scan, Session, Status, StrPath

__all__ = [
    "delete_session",
    "generations",
    "inspect_session_recovery_status",
    "recover_all_sessions_on_startup",
    "recover_session",
    "save_session",
    "update_session",
]


async def inspect_session_recovery_status(session_path: StrPath) -> Status:
    """As `dalsegno.hermes.inspect_session_recovery_status`."""
    return await threads.run(plain.inspect_session_recovery_status, session_path)


async def recover_session(session_path: StrPath) -> Recovery:
    """As `dalsegno.hermes.recover_session`."""
    return await threads.run(plain.recover_session, session_path)


async def recover_all_sessions_on_startup(session_dir: StrPath) -> Scan:
    """As `dalsegno.hermes.recover_all_sessions_on_startup`."""
    return await threads.run(plain.recover_all_sessions_on_startup, session_dir)


async def save_session(
    session_path: StrPath, session: Session | str | bytes, *, intent: str | None = None
) -> Saved:
    """As `dalsegno.hermes.save_session`; the session is taken as it is when this is called."""
    text = plain.text_of(session)
    return await threads.run(partial(plain.save_session, intent=intent), session_path, text)


async def update_session(
    session_path: StrPath,
    change: Callable[[Session | None], Session | str | bytes | None],
    *,
    intent: str | None = None,
) -> Saved | None:
    """As `dalsegno.hermes.update_session`; `change` is called in another thread."""
    return await threads.run(partial(plain.update_session, intent=intent), session_path, change)


async def delete_session(session_path: StrPath) -> bool:
    """As `dalsegno.hermes.delete_session`."""
    return await threads.run(plain.delete_session, session_path)


async def generations(session_path: StrPath) -> list[Generation]:
    """As `dalsegno.hermes.generations`."""
    return await threads.run(plain.generations, session_path)
