"""Finding and reading, to be awaited."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, TypeVar, overload

from .._threads import threads
from ..engine import Engine, Ref, Time, Words
from ..results import Kind, Snapshot, Sort
from ..verbs.find import PAGE
from .base import Twin, awaited

__all__ = ["AsyncReading"]

T = TypeVar("T")


class AsyncReading(Twin):
    """Verbs that only read."""

    __slots__ = ()

    sessions = awaited(Engine.sessions)
    page = awaited(Engine.page)
    info = awaited(Engine.info)
    restore_text = awaited(Engine.restore_text)
    components = awaited(Engine.components)
    log = awaited(Engine.log)
    diff = awaited(Engine.diff)
    diff_lines = awaited(Engine.diff_lines)
    verify = awaited(Engine.verify)
    rehearse = awaited(Engine.rehearse)
    stats = awaited(Engine.stats)
    doctor = awaited(Engine.doctor)
    trash = awaited(Engine.trash)
    policies = awaited(Engine.policies)
    export = awaited(Engine.export)

    async def list(
        self,
        session: str | None = None,
        *,
        since: Time | None = None,
        until: Time | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        name: str | None = None,
        sort: Sort = "commit",
        reverse: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[Snapshot]:
        """As `Engine.list`, for `async for`. Whatever is wrong is raised where the first snapshot is asked for."""
        snapshots = await threads.run(
            self.engine.list,
            session,
            since=since,
            until=until,
            kind=kind,
            tag=tag,
            name=name,
            sort=sort,
            reverse=reverse,
            limit=limit,
        )
        while some := await threads.run(_some, snapshots):
            for snapshot in some:
                yield snapshot

    @overload
    async def restore(self, ref: Ref, *, component: str | None = None) -> Any: ...

    @overload
    async def restore(self, ref: Ref, *, component: str | None = None, into: type[T]) -> T: ...

    @overload
    async def restore(self, ref: Ref, *, component: str | None = None, into: Any) -> Any: ...

    async def restore(self, ref: Ref, *, component: str | None = None, into: Any = None) -> Any:
        """As `Engine.restore`."""
        return await threads.run(self.engine.restore, ref, component=component, into=into)


def _some(snapshots: Iterator[Snapshot]) -> list[Snapshot]:
    """The next of them, a page at most."""
    return list(itertools.islice(snapshots, PAGE))
