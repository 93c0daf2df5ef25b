"""Keeps every state of a long-running session small, whole and provable.

>>> import dalsegno
>>> with dalsegno.open("bot.db") as engine:                              # doctest: +SKIP
...     engine.save("bot/42", {"volume": 75, "queue": ["Blue Train"]})
...     engine.restore("bot/42@latest")

See docs/python.md. `dalsegno.aio` has the same for asyncio.
"""

from __future__ import annotations

import atexit
import os

from . import _dalsegno, aio, attending, autosave, errors, events, results
from ._dalsegno import version as __version__
from .attending import Attendant, Attending, Request
from .autosave import AutoSaver, Meant
from .backups import drill, list_backups, restore_backup, verify_backup
from .engine import Engine, Ticket, decrypt, encrypt, generate_key, open, rebuild
from .errors import (
    AccessDeniedError,
    AmbiguousError,
    ConflictError,
    DalsegnoError,
    DamagedError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    StorageError,
    StoreNotFoundError,
    UnreachableError,
    WrongKeyError,
)
from .events import Event
from .migration import Migration
from .scrubbing import Scrubbing
from .verbs.lease import Session

__all__ = [
    "AccessDeniedError",
    "AmbiguousError",
    "Attendant",
    "Attending",
    "AutoSaver",
    "ConflictError",
    "DalsegnoError",
    "DamagedError",
    "Engine",
    "Event",
    "InvalidInputError",
    "LockedError",
    "Meant",
    "Migration",
    "NotFoundError",
    "Request",
    "Scrubbing",
    "Session",
    "StorageError",
    "StoreNotFoundError",
    "Ticket",
    "UnreachableError",
    "WrongKeyError",
    "__version__",
    "aio",
    "decrypt",
    "drill",
    "encrypt",
    "errors",
    "events",
    "generate_key",
    "list_backups",
    "open",
    "rebuild",
    "restore_backup",
    "results",
    "verify_backup",
]

os.register_at_fork(
    before=_dalsegno.before_fork,
    after_in_parent=_dalsegno.after_fork_in_parent,
    after_in_child=_dalsegno.after_fork_in_child,
)
# What was submitted and never waited for is finished at the end of the program.
atexit.register(_dalsegno.close_all)
# And before that, what saves by itself is stopped.
atexit.register(autosave.at_exit)
# And before that, what attends to requests: a session that is changed for somebody is not saved meanwhile.
atexit.register(attending.at_exit)
