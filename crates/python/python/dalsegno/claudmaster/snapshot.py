"""A snapshot of a session, whose data is there when it is looked at."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

__all__ = ["StateSnapshot"]


@dataclass
class StateSnapshot:
    """The session's state at one moment."""

    snapshot_id: str
    """A UUID."""
    label: str
    timestamp: datetime
    """When it was taken: local time, without a zone."""
    session_data: dict[str, Any]
    """The state. It shares nothing with the session; what is changed here, a rollback restores."""
    turn_count: int

    @classmethod
    def kept(
        cls,
        snapshot_id: str,
        label: str,
        timestamp: datetime,
        turn_count: int,
        load: Callable[[], dict[str, Any]],
    ) -> Self:
        """A snapshot whose data is loaded when somebody asks for it."""
        snapshot = cls(snapshot_id, label, timestamp, _LATER, turn_count)
        snapshot.__dict__[_LOAD] = load
        return snapshot

    def detached(self) -> Any:
        """The data, shared with nobody: as it was kept, or, where it was looked at, as it is here now."""
        state = self.__dict__
        return copy.deepcopy(state[_DATA]) if _DATA in state else state[_LOAD]()

    @property
    def is_untouched(self) -> bool:
        """Whether the data is as it was kept, for nobody has looked at it."""
        return _DATA not in self.__dict__

    def __reduce__(self) -> tuple[Any, ...]:
        values = (self.snapshot_id, self.label, self.timestamp, self.session_data, self.turn_count)
        return (type(self), values)


_LATER: dict[str, Any] = {}
_DATA, _LOAD = "_session_data", "_load"


class _SessionData:
    """The data of a snapshot: loaded once, then what it was set to or has become."""

    def __get__(self, snapshot: StateSnapshot | None, owner: type[StateSnapshot]) -> Any:
        if snapshot is None:
            raise AttributeError("session_data")
        state = snapshot.__dict__
        if _DATA not in state:
            state[_DATA] = state[_LOAD]()
        return state[_DATA]

    def __set__(self, snapshot: StateSnapshot, data: dict[str, Any]) -> None:
        if data is not _LATER:
            snapshot.__dict__[_DATA] = data


# Not in the class body, where the dataclass would take it for a default.
setattr(StateSnapshot, "session_data", _SessionData())  # noqa: B010
