"""The rollback manager of a running session."""

from __future__ import annotations

from typing import TypeVar

from .core import Snapshots, Turn, Verb
from .snapshot import StateSnapshot

__all__ = ["StateRollbackManager"]

T = TypeVar("T")


def _run(verb: Verb[T]) -> T:
    """Does the verb's work where it is called."""
    try:
        work = next(verb)
        while True:
            try:
                answer = work()
            except BaseException as error:  # noqa: BLE001, it goes on in the verb
                work = verb.throw(error)
            else:
                work = verb.send(answer)
    except StopIteration as end:
        done: T = end.value
        return done


class StateRollbackManager(Snapshots):
    """Takes snapshots of a session's state and goes back to them."""

    def create_snapshot(self, label: str = "auto") -> StateSnapshot:
        """Takes a snapshot of the session as it is now. With an engine, it is durable when this returns.

        Raises whatever keeps the session's state from being taken, and the engine's errors.
        """
        return _run(self.creating(label))

    def rollback_to(self, snapshot_id: str) -> bool:
        """Puts the session's fields back as they were in the snapshot. Later snapshots stay.

        Raises `RollbackError` where there is no such snapshot, or it cannot be restored; the session is then as it was.
        """
        return _run(self.rolling_back(snapshot_id))

    def rollback_last(self) -> bool:
        """Rolls back to the newest snapshot, as `rollback_to` does."""
        return _run(self.rolling_back(None))

    def turn_done(self) -> Turn:
        """Tells the manager that a turn is over.

        The state is checked first, where there is a `check`. A broken one is rolled back to the newest snapshot that is
        sound, and what this returns says so. A sound one becomes a snapshot, where `every` turns have passed since the
        last automatic one.

        Raises `RollbackError` where the state is broken and no snapshot is sound; the session is then as it was: broken.
        """
        return _run(self.ending_turn())
