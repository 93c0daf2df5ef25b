"""Lists that lose no items without a word."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable
from typing import cast

from ..asked import Duration
from ..results import Guard, GuardedList, GuardReport, GuardRestored
from .base import Ref, Verbs, to_ref

__all__ = ["Guarding"]


class Guarding(Verbs):
    """The shrink guard."""

    __slots__ = ()

    def set_guard(
        self,
        pattern: str,
        lists: str | GuardedList | Iterable[str | GuardedList],
        *,
        generations: int = 5,
        max_age: Duration = "30 days",
    ) -> None:
        """Guards lists of the sessions whose names match, from the next save on, of every program.

        A list is a path (`messages`, `queue.upcoming`), or a dict that also says what leaves it by nature: `{"list":
        "queue", "consumed": "front"}`, `{"list": "history", "trimmed": "front", "bound": 100, "key": "id"}`. A save that
        loses items of it, and was given no `intent`, keeps the fuller state: so many generations of a session, for so long.

        A guard of the same pattern is replaced. `InvalidInputError` where a pattern or a list makes no sense.
        """
        several: builtins.list[str | GuardedList]
        if isinstance(lists, str | dict):
            several = [cast("str | GuardedList", lists)]
        else:
            several = [*lists]
        rules = [GuardedList(list=it) if isinstance(it, str) else it for it in several]
        guard = {"pattern": pattern, "lists": rules, "generations": generations}
        self._handle.set_guard(json.dumps(guard), max_age)

    def guards(self) -> builtins.list[Guard]:
        """The guards that the store keeps, in the order in which they were made."""
        return self._handle.guards()

    def remove_guard(self, pattern: str) -> None:
        """Removes the guard of that pattern; what it kept stays. `NotFoundError` where there is none."""
        self._handle.remove_guard(pattern)

    def guarded_sessions(self) -> builtins.list[str]:
        """The sessions that a guard is for, by name."""
        return self._handle.guarded_sessions()

    def guard_status(self, session: str) -> GuardReport:
        """Whether the guarded lists of a session lost items, on purpose or by accident, and what to do.

        `NotFoundError` where there is no such session, or no guard is for it.
        """
        return self._handle.guard_status(session)

    def guard_restore(
        self, session: str, *, from_: Ref | None = None, dry_run: bool = False
    ) -> GuardRestored:
        """Brings back what a session lost without a word: older items come back, newer ones stay, in order, none twice.

        What was taken away on purpose stays away. `undo` takes it back. With `from_`, exactly that snapshot is merged with
        the newest state, whatever was said since. With `dry_run`, only the plan.

        `ConflictError` where rules cannot decide what is right: it says why, nothing was changed, and both states are kept.
        """
        snapshot = None if from_ is None else to_ref(from_)
        return self._handle.guard_restore(session, snapshot, dry_run)
