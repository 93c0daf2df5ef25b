"""Putting states back, to be awaited."""

from __future__ import annotations

from typing import Literal, overload

from .._threads import threads
from ..engine import Engine, Ref, StrPath, Time, Words
from ..results import Plan, Report
from .base import Twin, awaited

__all__ = ["AsyncPuttingBack"]


class AsyncPuttingBack(Twin):
    """Verbs that put a state back, each planned first."""

    __slots__ = ()

    undo_skip = awaited(Engine.undo_skip)
    fork = awaited(Engine.fork)

    @overload
    async def put_back(
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
    async def put_back(
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
    async def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        behalf: str | None = None,
        migrate: bool = False,
        dry_run: bool,
    ) -> Plan | Report: ...

    async def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        behalf: str | None = None,
        migrate: bool = False,
        dry_run: bool = False,
    ) -> Plan | Report:
        """As `Engine.put_back`."""
        return await threads.run(
            self.engine.put_back,
            ref,
            components=components,
            path=path,
            behalf=behalf,
            migrate=migrate,
            dry_run=dry_run,
        )

    @overload
    async def rollback(
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
    async def rollback(
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
    async def rollback(
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

    async def rollback(
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
        """As `Engine.rollback`."""
        return await threads.run(
            self.engine.rollback,
            session,
            steps=steps,
            to=to,
            turn=turn,
            at=at,
            path=path,
            dry_run=dry_run,
        )

    @overload
    async def undo(self, session: str, *, dry_run: Literal[False] = False) -> Report: ...

    @overload
    async def undo(self, session: str, *, dry_run: Literal[True]) -> Plan: ...

    @overload
    async def undo(self, session: str, *, dry_run: bool) -> Plan | Report: ...

    async def undo(self, session: str, *, dry_run: bool = False) -> Plan | Report:
        """As `Engine.undo`."""
        return await threads.run(self.engine.undo, session, dry_run=dry_run)

    @overload
    async def redo(self, session: str, *, dry_run: Literal[False] = False) -> Report: ...

    @overload
    async def redo(self, session: str, *, dry_run: Literal[True]) -> Plan: ...

    @overload
    async def redo(self, session: str, *, dry_run: bool) -> Plan | Report: ...

    async def redo(self, session: str, *, dry_run: bool = False) -> Plan | Report:
        """As `Engine.redo`."""
        return await threads.run(self.engine.redo, session, dry_run=dry_run)
