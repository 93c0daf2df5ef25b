"""Reading states, and what is known of them."""

from __future__ import annotations

import builtins
from typing import Any, TypeVar, overload

from ..results import Diagnosis, Diff, LogEntry, Rehearsal, Stats, Verification
from ..state import build, from_text
from .base import Ref, Verbs, to_ref

__all__ = ["Reading"]

T = TypeVar("T")


class Reading(Verbs):
    """Verbs that only read."""

    __slots__ = ()

    @overload
    def restore(self, ref: Ref, *, component: str | None = None) -> Any: ...

    @overload
    def restore(self, ref: Ref, *, component: str | None = None, into: type[T]) -> T: ...

    @overload
    def restore(self, ref: Ref, *, component: str | None = None, into: Any) -> Any: ...

    def restore(self, ref: Ref, *, component: str | None = None, into: Any = None) -> Any:
        """Reads a snapshot's state, proved to be what was saved. Nothing is changed; see `put_back` for that.

        Where the program has migrations for the session, it is in the current shape. `InvalidInputError` where a step fails,
        or none starts from the snapshot's schema version; `restore_text` gives what was saved all the same.

        With `component`, only that member of the state. With `into`, as a pydantic model, a dataclass (also nested,
        in lists and in dicts), or whatever a pydantic `TypeAdapter` makes; else as `json.loads` has it.
        """
        text = self._handle.current(to_ref(ref), component)
        return from_text(text) if into is None else build(into, text)

    def restore_text(self, ref: Ref, *, component: str | None = None) -> bytes:
        """Reads the saved bytes of a snapshot's state, or of one component's value."""
        return self._handle.text(to_ref(ref), component)

    def components(self, ref: Ref) -> builtins.list[str]:
        """The components of a snapshot's state: its members, or `document` where it is no object."""
        return self._handle.components(to_ref(ref))

    def log(self, session: str, *, limit: int = 50) -> builtins.list[LogEntry]:
        """What was done to a session, newest first: its saves, restores, rollbacks, undos and redos."""
        return self._handle.log(session, limit)

    def diff(self, a: Ref, b: Ref) -> Diff:
        """What differs between the states of two snapshots, from `a` to `b`."""
        return self._handle.diff(to_ref(a), to_ref(b))

    def diff_lines(self, a: Ref, b: Ref, *, limit: int = 20) -> builtins.list[str]:
        """`diff` as lines for people, at most `limit` of one component."""
        return self._handle.diff_lines(to_ref(a), to_ref(b), limit)

    def verify(self, session: str | None = None) -> Verification:
        """Proves every snapshot of a session, or of the whole store and its structure.

        Damage is not raised: it is in the answer's `damage`.
        """
        return self._handle.verify(session)

    def rehearse(self, session: str | None = None) -> Rehearsal:
        """Runs the program's migrations over every stored snapshot of a session, or of all that have some, those in the
        trash too. Nothing is written.

        What would fail is not raised: it is in the answer. `InvalidInputError` where there are no migrations.
        """
        return self._handle.rehearse(session)

    def stats(
        self, session: str | None = None, *, rebuild: int | None = None, zone: str | None = None
    ) -> Stats:
        """Figures about a session, with the components that changed in its newest 100 states, or about the store.

        `rebuild` is how many states of each session are read for that: 0 for the store unless given. `zone` is that of
        hours and days, such as `Europe/Berlin`: the machine's unless given.
        """
        return self._handle.stats(session, rebuild, zone)

    def doctor(self) -> Diagnosis:
        """A look at the store from outside: its file, its settings, its disk, and what is wrong with them."""
        return self._handle.doctor()
