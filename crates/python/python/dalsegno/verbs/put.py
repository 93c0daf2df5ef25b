"""Putting states back."""

from __future__ import annotations

from typing import Literal, overload

from ..errors import InvalidInputError
from ..results import Plan, Report, Snapshot
from .base import Ref, StrPath, Time, Verbs, Words, to_ref, to_time, to_words

__all__ = ["PuttingBack"]


class PuttingBack(Verbs):
    """Verbs that put a state back, each planned first."""

    __slots__ = ()

    @overload
    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        behalf: str | None = None,
        migrate: bool = False,
        dry_run: Literal[False] = False,
    ) -> Report: ...

    @overload
    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        behalf: str | None = None,
        migrate: bool = False,
        dry_run: Literal[True],
    ) -> Plan: ...

    @overload
    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        behalf: str | None = None,
        migrate: bool = False,
        dry_run: bool,
    ) -> Plan | Report: ...

    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        behalf: str | None = None,
        migrate: bool = False,
        dry_run: bool = False,
    ) -> Plan | Report:
        """Makes a snapshot's state, or some of its components, the newest state of its session.

        With `path`, it is written into that file instead, whole or not at all; what stood there is kept as a `safety`
        snapshot. Either can be taken back with `undo`. With `dry_run`, the plan, and nothing is changed. With `migrate`, the
        state is put back in its current shape, otherwise as it was saved.
        `behalf` is for whom it is done, as in `save`.
        """
        return self._handle.put_back(
            to_ref(ref), to_words(components), path, behalf, migrate, dry_run
        )

    @overload
    def rollback(
        self,
        session: str,
        *,
        steps: int | None = None,
        to: Ref | None = None,
        turn: int | None = None,
        at: Time | None = None,
        path: StrPath | None = None,
        dry_run: Literal[False] = False,
    ) -> Report: ...

    @overload
    def rollback(
        self,
        session: str,
        *,
        steps: int | None = None,
        to: Ref | None = None,
        turn: int | None = None,
        at: Time | None = None,
        path: StrPath | None = None,
        dry_run: Literal[True],
    ) -> Plan: ...

    @overload
    def rollback(
        self,
        session: str,
        *,
        steps: int | None = None,
        to: Ref | None = None,
        turn: int | None = None,
        at: Time | None = None,
        path: StrPath | None = None,
        dry_run: bool,
    ) -> Plan | Report: ...

    def rollback(
        self,
        session: str,
        *,
        steps: int | None = None,
        to: Ref | None = None,
        turn: int | None = None,
        at: Time | None = None,
        path: StrPath | None = None,
        dry_run: bool = False,
    ) -> Plan | Report:
        """Goes back one state; or so many `steps`, to a snapshot, to the newest state of a `turn`, or to the last one
        at a time.

        Nothing is lost by it: the states since stay in the history, and `undo` takes it back. With `path`, that file is the
        live state: the newest snapshot is then the first step back. With `dry_run`, the plan, and nothing is changed.
        """
        given = [way for way in (steps, to, turn, at) if way is not None]
        if len(given) > 1:
            raise InvalidInputError(
                "give one of steps, to, turn and at: each says how far to go back"
            )
        if steps is not None and steps < 1:
            raise InvalidInputError(f"steps is a number from 1 on, not {steps}")
        return self._handle.rollback(
            session,
            steps=steps,
            to=None if to is None else to_ref(to),
            turn=turn,
            at=to_time(at),
            path=path,
            dry_run=dry_run,
        )

    @overload
    def undo(self, session: str, *, dry_run: Literal[False] = False) -> Report: ...

    @overload
    def undo(self, session: str, *, dry_run: Literal[True]) -> Plan: ...

    @overload
    def undo(self, session: str, *, dry_run: bool) -> Plan | Report: ...

    def undo(self, session: str, *, dry_run: bool = False) -> Plan | Report:
        """Takes the session's last `put_back` or `rollback` back that was not taken back yet."""
        return self._handle.undo(session, dry_run)

    def undo_skip(self, session: str, *, dry_run: bool = False) -> str:
        """Passes over what `undo` would take back and cannot, so that what is older can be undone. Nothing is put back.

        Gives the id of what was passed over, as `log` has it.
        """
        return self._handle.undo_skip(session, dry_run)

    @overload
    def redo(self, session: str, *, dry_run: Literal[False] = False) -> Report: ...

    @overload
    def redo(self, session: str, *, dry_run: Literal[True]) -> Plan: ...

    @overload
    def redo(self, session: str, *, dry_run: bool) -> Plan | Report: ...

    def redo(self, session: str, *, dry_run: bool = False) -> Plan | Report:
        """Does again what `undo` took back last. A state that was saved since ends that."""
        return self._handle.redo(session, dry_run)

    def fork(self, ref: Ref, name: str, *, dry_run: bool = False) -> Snapshot:
        """Begins the session `name` with the state of a snapshot of another one.

        With `dry_run`, the snapshot it would begin with.
        """
        return self._handle.fork(to_ref(ref), name, dry_run)
