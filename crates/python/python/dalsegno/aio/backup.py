"""Backups, to be awaited."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from .. import backups as plain
from .._threads import threads
from ..engine import Engine
from ..results import Backups, BackupStep
from ..verbs.backup import Progress
from ..verbs.base import StrPath
from .base import Twin, awaited

__all__ = ["AsyncBackingUp", "drill", "list_backups", "restore_backup", "verify_backup"]

P = ParamSpec("P")
T = TypeVar("T")


async def _unless_cancelled(
    work: Callable[P, T], progress: Progress | None, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Waits for the work in another thread; where nobody waits for it any longer, it is cancelled too."""
    withdrawn = threading.Event()

    def tell(step: BackupStep, done: int, total: int | None) -> object:
        if withdrawn.is_set():
            return False
        return None if progress is None else progress(step, done, total)

    given: Any = {**kwargs, "progress": tell}
    try:
        return await threads.run(work, *args, **given)
    finally:
        withdrawn.set()


def _verb(
    verb: Callable[Concatenate[Engine, P], T],
) -> Callable[Concatenate[Twin, P], Coroutine[Any, Any, T]]:
    @functools.wraps(verb)
    async def run(self: Twin, /, *args: P.args, **kwargs: P.kwargs) -> T:
        progress: Any = kwargs.pop("progress", None)
        work = functools.partial(verb, self.engine)
        return await _unless_cancelled(work, progress, *args, **kwargs)

    return run


def _function(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    @functools.wraps(work)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        progress: Any = kwargs.pop("progress", None)
        return await _unless_cancelled(work, progress, *args, **kwargs)

    return run


class AsyncBackingUp(Twin):
    """Verbs of backups. A call that is cancelled soon ends; `progress` is called in the thread that works."""

    __slots__ = ()

    back_up = _verb(Engine.back_up)
    restore_session = _verb(Engine.restore_session)
    known_backups = awaited(Engine.known_backups)


async def list_backups(path: StrPath) -> Backups:
    """As `dalsegno.list_backups`."""
    return await threads.run(plain.list_backups, path)


verify_backup = _function(plain.verify_backup)
restore_backup = _function(plain.restore_backup)
drill = _function(plain.drill)
