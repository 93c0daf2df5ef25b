"""Rollback snapshots of a running game session, or of any other that goes by turns.

The names, parameters and answers are those of the game master's `state_rollback`; what is new is asked for by keywords:
snapshots in a store, automatic ones, and a check that rolls a broken state back by itself. `dalsegno.claudmaster.aio`
has the same for asyncio.
"""

from __future__ import annotations

from .checks import Check
from .core import Listed, PassedOver, Turn, logger
from .errors import RollbackError, derive_from
from .manager import StateRollbackManager
from .sessions import ALL, GAME_FIELDS
from .snapshot import StateSnapshot

__all__ = [
    "ALL",
    "GAME_FIELDS",
    "Check",
    "Listed",
    "PassedOver",
    "RollbackError",
    "StateRollbackManager",
    "StateSnapshot",
    "Turn",
    "derive_from",
    "logger",
]
