"""A running session and its snapshots. The verbs are written once, for those who call them and those who await them.

A verb is a generator: it yields the work that may wait for a disk, and is given what that work answered.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypedDict, TypeVar, cast
from uuid import uuid4

from .. import _dalsegno
from ..engine import Engine
from ..errors import DalsegnoError, InvalidInputError
from .checks import Check, why_broken
from .errors import RollbackError
from .sessions import GAME_FIELDS, Fields, Taken, put_back, read_quickly, take
from .snapshot import StateSnapshot

__all__ = ["Listed", "PassedOver", "Snapshots", "Turn", "Verb", "Work", "logger"]

T = TypeVar("T")

Work: TypeAlias = Callable[[], Any]
Verb: TypeAlias = Generator[Work, Any, T]

logger = logging.getLogger("dm20-protocol")


class Listed(TypedDict):
    """A snapshot in a list."""

    snapshot_id: str
    label: str
    timestamp: str
    """ISO 8601, local time."""
    turn_count: int


@dataclass(frozen=True)
class PassedOver:
    """A snapshot that was no better than the broken session."""

    snapshot_id: str
    why: str


@dataclass(frozen=True)
class Turn:
    """What came of a turn."""

    broken: str | None = None
    """What the check found wrong; None where the state is sound."""
    rolled_back_to: StateSnapshot | None = None
    """The snapshot that the session went back to."""
    passed_over: tuple[PassedOver, ...] = ()
    """The snapshots after it that are no better, newest first."""
    snapshot: StateSnapshot | None = None
    """The automatic snapshot that was due."""


class Snapshots:
    """The session, its snapshots, and what is wanted of them.

    The session is a pydantic model, a dataclass, or any object with attributes; it is changed in place. Snapshots share
    with each other what they have in common, and nothing with the session.

    `session`, `max_snapshots` (first in, first out) and `snapshots` (oldest first) may be looked at and changed.

    - `fields`: what a rollback restores, and what is kept of a session that is no pydantic model; `"all"` for every field.
    - `engine` and `name`: snapshots are also saved there, as states of the session of that name, and those of earlier
      processes are found again. `max_snapshots` limits the list here; what the store keeps is for its own `cleanup`.
    - `every`: `turn_done` takes a snapshot every so many turns.
    - `check`: what a sound state is; see `turn_done`.
    """

    def __init__(
        self,
        session: Any,
        max_snapshots: int = 10,
        *,
        fields: Fields = GAME_FIELDS,
        engine: Engine | None = None,
        name: str | None = None,
        every: int | None = None,
        check: Check | None = None,
    ) -> None:
        if (engine is None) != (name is None):
            raise TypeError("engine and name belong together: give both, or neither")
        if every is not None and every < 1:
            raise ValueError(f"every is a number of turns from 1 on, not {every}")
        self.session = session
        self.max_snapshots = max_snapshots
        self.snapshots: list[StateSnapshot] = []
        self.fields: Fields = fields if isinstance(fields, str) else tuple(fields)
        self.engine = engine
        self.name = name
        self.every = every
        self.check = check
        self._states = _dalsegno.States()
        self._counted_from = self._turn()
        if engine is not None and name is not None:
            self._find_stored(engine, name)

    def creating(self, label: str) -> Verb[StateSnapshot]:
        """Takes a snapshot."""
        turn = getattr(self.session, "turn_count", 0)
        if self.engine is None:
            keep = functools.partial(self._keep, take(self.session, self.fields), label, turn)
        else:
            keep = functools.partial(self._save, self._storable(), label, turn)
        snapshot: StateSnapshot = yield keep
        self.snapshots.append(snapshot)
        logger.info(
            "Created snapshot %s (label: %s, turn: %s)",
            snapshot.snapshot_id,
            snapshot.label,
            snapshot.turn_count,
        )
        self.clear_old_snapshots()
        return snapshot

    def rolling_back(self, snapshot_id: str | None) -> Verb[bool]:
        """Goes back to a snapshot; None is the newest."""
        snapshot = self._find(snapshot_id)
        logger.warning(
            "Rolling the session back to snapshot %s (label: %s, turn: %s)",
            snapshot.snapshot_id,
            snapshot.label,
            snapshot.turn_count,
        )
        try:
            yield from self._going_back(snapshot, (yield snapshot.detached))
        except Exception as error:
            told = _told(error)
            raise RollbackError(
                f"Snapshot {snapshot.snapshot_id} cannot be restored: {told}",
                details={"snapshot": snapshot.snapshot_id, "error": told},
            ) from error
        logger.info("Rolled back to snapshot %s", snapshot.snapshot_id)
        return True

    def ending_turn(self) -> Verb[Turn]:
        """Checks the state, and takes the snapshot that is due."""
        why = None if self.check is None else why_broken(self.check, self.session)
        if why is not None:
            return (yield from self._repairing(why))
        if self.every is None:
            return Turn()
        turn = self._turn()
        # Where the program itself put the session back, turns count from there.
        self._counted_from = min(self._counted_from, turn)
        if turn - self._counted_from < self.every:
            return Turn()
        snapshot = yield from self.creating("auto")
        self._counted_from = turn
        return Turn(snapshot=snapshot)

    def clear_old_snapshots(self) -> None:
        """Lets the oldest snapshots go, where there are more than `max_snapshots`."""
        excess = len(self.snapshots) - max(self.max_snapshots, 0)
        if excess <= 0:
            return
        removed, self.snapshots = self.snapshots[:excess], self.snapshots[excess:]
        logger.debug("Cleared %d old snapshots, %d remaining", excess, len(self.snapshots))
        for snapshot in removed:
            logger.debug(
                "  Cleared snapshot %s (label: %s, turn: %s)",
                snapshot.snapshot_id,
                snapshot.label,
                snapshot.turn_count,
            )

    def list_snapshots(self) -> list[Listed]:
        """The snapshots, oldest first."""
        return [
            {
                "snapshot_id": snapshot.snapshot_id,
                "label": snapshot.label,
                "timestamp": snapshot.timestamp.isoformat(),
                "turn_count": snapshot.turn_count,
            }
            for snapshot in self.snapshots
        ]

    def get_snapshot_count(self) -> int:
        """How many snapshots there are."""
        return len(self.snapshots)

    def bytes_held(self) -> int:
        """The memory of the snapshots' texts, in bytes."""
        return self._states.bytes_held()

    def _turn(self) -> int:
        turn = getattr(self.session, "turn_count", 0)
        return turn if isinstance(turn, int) else 0

    def _find(self, snapshot_id: str | None) -> StateSnapshot:
        if snapshot_id is None and not self.snapshots:
            raise RollbackError(
                "There are no snapshots to roll back to", details={"snapshot_count": 0}
            )
        if snapshot_id is None:
            return self.snapshots[-1]
        for snapshot in self.snapshots:
            if snapshot.snapshot_id == snapshot_id:
                return snapshot
        raise RollbackError(
            f"There is no snapshot {snapshot_id}",
            details={"available_snapshots": [s.snapshot_id for s in self.snapshots]},
        )

    def _going_back(self, snapshot: StateSnapshot, data: Any) -> Verb[None]:
        take_back = put_back(self.session, data, self.fields)
        try:
            if self.engine is not None:
                yield functools.partial(self._tell_store, snapshot, self._storable())
        except BaseException:
            take_back()
            raise
        self._counted_from = self._turn()

    def _repairing(self, why: str) -> Verb[Turn]:
        logger.warning("The session's state is broken: %s", why)
        passed_over: list[PassedOver] = []
        for snapshot in reversed(list(self.snapshots)):
            try:
                data = yield snapshot.detached
                found = self._would_be(data)
                if self.check is not None and why_broken(self.check, self.session) is None:
                    # The program repaired it while the store was waited for.
                    return Turn()
                if found is None:
                    yield from self._going_back(snapshot, data)
                    logger.warning(
                        "Rolled the session back to snapshot %s (label: %s, turn: %s)",
                        snapshot.snapshot_id,
                        snapshot.label,
                        snapshot.turn_count,
                    )
                    return Turn(why, snapshot, tuple(passed_over))
            except Exception as error:  # noqa: BLE001, whatever keeps it from being restored
                found = _told(error)
            passed_over.append(PassedOver(snapshot.snapshot_id, found))
        raise RollbackError(
            f"The session's state is broken ({why}), and no snapshot is sound",
            details={
                "check": why,
                "snapshot_count": len(self.snapshots),
                "passed_over": [(passed.snapshot_id, passed.why) for passed in passed_over],
            },
        )

    def _would_be(self, data: Any) -> str | None:
        """What the check would find in the session, if it went back."""
        if self.check is None:
            return None
        other = copy.copy(self.session)
        put_back(other, copy.deepcopy(data), self.fields)
        return why_broken(self.check, other)

    def _keep(self, state: Taken, label: str, turn: Any) -> StateSnapshot:
        kept = self._states.push(state.text)
        load = functools.partial(_joined, kept, dataclasses.replace(state, text=b""))
        return StateSnapshot.kept(str(uuid4()), label, datetime.now(), turn, load)

    def _save(self, text: bytes, label: str, turn: Any) -> StateSnapshot:
        if self.engine is None or self.name is None:
            raise InvalidInputError("the engine was taken away")
        saved = self.engine.save_json(
            self.name,
            text,
            label=label,
            turn=turn if isinstance(turn, int) else None,
            kind="auto" if label == "auto" else "manual",
        )
        return self._stored(self.engine, saved["id"], label, saved["created_at"], turn)

    def _stored(
        self, engine: Engine, snapshot_id: str, label: str, at: datetime, turn: int
    ) -> StateSnapshot:
        load = functools.partial(_load, engine, snapshot_id)
        local = at.astimezone().replace(tzinfo=None)
        return StateSnapshot.kept(snapshot_id, label, local, turn, load)

    def _find_stored(self, engine: Engine, name: str) -> None:
        """The newest snapshots that are in the store already."""
        if name not in engine.sessions() or self.max_snapshots <= 0:
            return
        found = engine.list(name, kind=("manual", "auto"), limit=self.max_snapshots)
        for snapshot in reversed(list(found)):
            turn = snapshot["turn"]
            label = snapshot["label"] or snapshot["name"] or snapshot["kind"]
            self.snapshots.append(
                self._stored(engine, snapshot["id"], label, snapshot["created_at"], turn or 0)
            )

    def _storable(self) -> bytes:
        """The session's state as a store can keep it."""
        taken = take(self.session, self.fields)
        for name in taken.copies:
            raise InvalidInputError(
                f"{name} has a value that JSON has no word for, so a store cannot keep it; without "
                "engine= it is kept in memory"
            )
        return taken.text

    def _tell_store(self, snapshot: StateSnapshot, text: bytes) -> None:
        """What the session is now becomes its newest stored state."""
        if self.engine is None or self.name is None:
            return
        if self.engine.restore_text(snapshot.snapshot_id) == text:
            self.engine.rollback(self.name, to=snapshot.snapshot_id)
        else:
            # Other fields than those that went back differ, or the snapshot's data was changed.
            turn = self._turn()
            self.engine.save_json(self.name, text, label=snapshot.label, turn=turn)


def _joined(kept: _dalsegno.State, state: Taken) -> dict[str, Any]:
    return state.data(kept.text())


def _load(engine: Engine, snapshot_id: str) -> dict[str, Any]:
    data = read_quickly(engine.restore_text(snapshot_id))
    if not isinstance(data, dict):
        raise TypeError(f"the state of {snapshot_id} is a {type(data).__name__}, not a dict")
    return cast("dict[str, Any]", data)


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing in its data"
    return str(error) if isinstance(error, DalsegnoError) else f"{type(error).__name__}: {error}"
