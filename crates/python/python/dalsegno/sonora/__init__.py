"""Players of a Discord music bot on Lavalink nodes: played, kept, and brought back.

The names are those of Sonora 1.2, so that a program written after its documents runs with these imports. See
docs/python.md.
"""

from __future__ import annotations

import atexit

from .access import Access, acting_as
from .backup import Backup
from .client import NodeConfig, NodeState, SonoraClient, at_exit
from .credentials import CredentialManager, credential_manager
from .errors import (
    AccessDeniedError,
    AmbiguousError,
    ConflictError,
    DamagedError,
    InvalidInputError,
    LockedError,
    NotAllRestoredError,
    NotFoundError,
    PermissionDeniedError,
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
    "Access",
    "AccessDeniedError",
    "AmbiguousError",
    "Backup",
    "ConflictError",
    "CredentialManager",
    "DamagedError",
    "Event",
    "EventManager",
    "EventType",
    "InvalidInputError",
    "Loaded",
    "LockedError",
    "NodeConfig",
    "NodeState",
    "NotAllRestoredError",
    "NotFoundError",
    "PermissionDeniedError",
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
    "acting_as",
    "credential_manager",
    "event_manager",
    "snapshot_manager",
]

atexit.register(at_exit)
