"""What is said of snapshots, and what goes, to be awaited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, overload

from .._threads import threads
from ..engine import Duration, Engine, Words
from ..results import Cleaned, CleanupPlan, Kind
from .base import Twin, awaited

__all__ = ["AsyncKeeping"]


class AsyncKeeping(Twin):
    """Verbs that change what is said of snapshots, delete them, or bring some in."""

    __slots__ = ()

    rename = awaited(Engine.rename)
    tag = awaited(Engine.tag)
    untag = awaited(Engine.untag)
    pin = awaited(Engine.pin)
    unpin = awaited(Engine.unpin)
    delete = awaited(Engine.delete)
    undelete = awaited(Engine.undelete)
    purge = awaited(Engine.purge)
    set_policy = awaited(Engine.set_policy)
    remove_policy = awaited(Engine.remove_policy)
    import_ = awaited(Engine.import_)

    @overload
    async def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: Literal[False] = False,
    ) -> Cleaned: ...

    @overload
    async def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: Literal[True],
    ) -> CleanupPlan: ...

    @overload
    async def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: bool,
    ) -> CleanupPlan | Cleaned: ...

    async def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: bool = False,
    ) -> CleanupPlan | Cleaned:
        """As `Engine.cleanup`."""
        return await threads.run(
            self.engine.cleanup,
            session,
            older_than=older_than,
            keep_last=keep_last,
            keep_hourly=keep_hourly,
            keep_daily=keep_daily,
            keep_weekly=keep_weekly,
            keep_monthly=keep_monthly,
            kind=kind,
            tag=tag,
            keep_nothing=keep_nothing,
            grace=grace,
            purge=purge,
            dry_run=dry_run,
        )
