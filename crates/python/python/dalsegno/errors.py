"""What can go wrong, one class for each thing that a caller can do about it.

Every error of this package is a `DalsegnoError`. Its message says what was asked for, what is wrong, and the
way out.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AccessDeniedError",
    "AmbiguousError",
    "ConflictError",
    "DalsegnoError",
    "DamagedError",
    "InvalidInputError",
    "LockedError",
    "NotFoundError",
    "StorageError",
    "StoreNotFoundError",
    "UnreachableError",
    "WrongKeyError",
]


class DalsegnoError(Exception):
    """Something that Dalsegno could not do; see the subclasses."""

    kind: ClassVar[str] = "error"
    """The kind as one lower-case word, as the command's `--json` has it."""

    @property
    def message(self) -> str:
        """What is wrong, in words."""
        return str(self)


class NotFoundError(DalsegnoError, LookupError):
    """Nothing answers to that name: list what there is and ask again."""

    kind = "not_found"


class StoreNotFoundError(NotFoundError, FileNotFoundError):
    """There is no store at that path: give another, or let `open` make one."""


class AmbiguousError(DalsegnoError, LookupError):
    """Several snapshots answer: choose one of the candidates in the message."""

    kind = "ambiguous"


class ConflictError(DalsegnoError):
    """Somebody else was first, or the name is taken: look again, then decide."""

    kind = "conflict"


class LockedError(DalsegnoError):
    """Another process held the store for longer than `busy_timeout`, or has the session open: try again later."""

    kind = "locked"


class WrongKeyError(DalsegnoError):
    """The key does not open this store."""

    kind = "wrong_key"


class DamagedError(DalsegnoError):
    """Stored bytes are not what was written: run `verify`, then restore from elsewhere."""

    kind = "damaged"


class AccessDeniedError(DalsegnoError, PermissionError):
    """The operating system or a rule forbids it: a store that can only be read, a snapshot that is pinned, what
    the token that was given may not do."""

    kind = "denied"


class InvalidInputError(DalsegnoError, ValueError):
    """What was given cannot be accepted: correct it."""

    kind = "invalid_input"


class UnreachableError(DalsegnoError, ConnectionError):
    """What is on another machine, or a service, does not answer: look whether it runs, and try again."""

    kind = "unreachable"


class StorageError(DalsegnoError, OSError):
    """The disk, the file system or the store's library failed."""

    kind = "storage"
