"""What can go wrong with players and snapshots: the classes of `dalsegno`, each also a `SonoraError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import errors

__all__ = [
    "AccessDeniedError",
    "AmbiguousError",
    "ConflictError",
    "DamagedError",
    "InvalidInputError",
    "LockedError",
    "NotAllRestoredError",
    "NotFoundError",
    "PermissionDeniedError",
    "SecurityError",
    "SnapshotNotFoundError",
    "SonoraError",
    "StorageError",
    "UnreachableError",
    "WrongKeyError",
]


class SonoraError(errors.DalsegnoError):
    """Something that could not be done; see the subclasses."""


class NotFoundError(SonoraError, errors.NotFoundError):
    """Nothing answers to that: no player, no track, no snapshot."""


class SnapshotNotFoundError(NotFoundError, FileNotFoundError):
    """There is no file at that path."""


class AmbiguousError(SonoraError, errors.AmbiguousError):
    """Several snapshots answer to that."""


class ConflictError(SonoraError, errors.ConflictError):
    """The node does not hold what it was told, the client was closed, or somebody else was first."""


class LockedError(SonoraError, errors.LockedError):
    """Another program has the player's session, or the store: try again later."""


class SecurityError(SonoraError):
    """A snapshot or text is not what was written, or no key opens it, or it is not for whoever asks; see the subclasses."""


class WrongKeyError(SecurityError, errors.WrongKeyError):
    """The key does not open this, or is missing: put the right one back."""


class DamagedError(SecurityError, errors.DamagedError):
    """A snapshot or a text is not what was written: load another one."""


class AccessDeniedError(SonoraError, errors.AccessDeniedError):
    """The operating system, the node (a wrong password), Discord or a rule of the store forbids it."""


class PermissionDeniedError(SecurityError, AccessDeniedError):
    """Whoever acts is not among the `allowed_users`: add the id there, or leave it to somebody who is."""


class InvalidInputError(SonoraError, errors.InvalidInputError):
    """What was given cannot be accepted: correct it."""


class UnreachableError(SonoraError, errors.UnreachableError):
    """No node answers: look whether it runs, and try again."""


class NotAllRestoredError(SonoraError):
    """Some players of a backup were not put back: `failed` says which, and why; `restored` has the others, which were."""

    def __init__(
        self,
        message: str,
        restored: Mapping[int, Any] | None = None,
        failed: Mapping[int, Exception] | None = None,
    ) -> None:
        super().__init__(message)
        self.restored = dict(restored or {})
        """What each player is that was put back, by guild."""
        self.failed = dict(failed or {})
        """Why each other one was not, by guild."""


class StorageError(SonoraError, errors.StorageError):
    """The disk or the file system failed, or this process was forked from one whose players are at work there."""
