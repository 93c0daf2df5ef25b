"""Players of a Discord music bot on Lavalink nodes: played, kept, and brought back.

The names are those of Sonora 1.2, so that a program written after its documents runs with these imports. See
docs/python.md.
"""

from __future__ import annotations

import atexit

from .client import NodeConfig, NodeState, SonoraClient, at_exit
from .errors import (
    AccessDeniedError,
    AmbiguousError,
    ConflictError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    SecurityError,
    SnapshotNotFoundError,
    SonoraError,
    StorageError,
    UnreachableError,
    WrongKeyError,
)
from .events import Event, EventManager, EventType, event_manager
from .manager import SnapshotManager, snapshot_manager
from .player import Loaded, Player
from .queue import Queue
from .snapshot import Snapshot
from .track import Track
from .voice import Plugin, Provider, VoiceServer

__all__ = [
    "AccessDeniedError",
    "AmbiguousError",
    "ConflictError",
    "Event",
    "EventManager",
    "EventType",
    "InvalidInputError",
    "Loaded",
    "LockedError",
    "NodeConfig",
    "NodeState",
    "NotFoundError",
    "Player",
    "Plugin",
    "Provider",
    "Queue",
    "SecurityError",
    "Snapshot",
    "SnapshotManager",
    "SnapshotNotFoundError",
    "SonoraClient",
    "SonoraError",
    "StorageError",
    "Track",
    "UnreachableError",
    "VoiceServer",
    "WrongKeyError",
    "event_manager",
    "snapshot_manager",
]

atexit.register(at_exit)
