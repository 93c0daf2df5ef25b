"""What can go wrong with a rollback."""

from __future__ import annotations

from typing import Any

from ..errors import DalsegnoError

__all__ = ["RollbackError", "derive_from"]


class RollbackError(DalsegnoError):
    """The session could not be rolled back; it is as it was before.

    `details` says more: `available_snapshots` for an unknown id, `snapshot_count` where there is none, `snapshot` and
    `error` where one could not be restored, `check` and `passed_over` where no sound one is left.
    """

    kind = "rollback"

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        # Not by super(): what it derives from by `derive_from` may want other arguments.
        Exception.__init__(self, message)
        self.details: dict[str, Any] = {} if details is None else details

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


def derive_from(base: type[Exception]) -> None:
    """Makes `RollbackError` an error of the program's own kind: from now on `except base` catches it too.

    >>> class GameError(Exception): ...
    >>> dalsegno.claudmaster.derive_from(GameError)                     # doctest: +SKIP

    Called again, it takes the place of the one before.

    Raises `TypeError` for what is no class of exceptions, or derives from `RollbackError` itself.
    """
    if not _is_exception(base):
        raise TypeError(f"{base!r} is not a class of exceptions")
    if issubclass(base, RollbackError):
        raise TypeError(f"{base.__name__} derives from RollbackError itself")
    RollbackError.__bases__ = (DalsegnoError,) if base is Exception else (DalsegnoError, base)


def _is_exception(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, Exception)
