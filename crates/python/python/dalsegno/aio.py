"""The engine for asyncio: the same names, to be awaited.

No call blocks the event loop. A state is taken when `save` or `submit` is called and not when the disk is ready, so that what
the program changes meanwhile is not in it. A call that is cancelled is done wholly or not at all.
"""

from __future__ import annotations

import builtins
import functools
import itertools
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar, final, overload

from . import engine as plain
from ._threads import threads
from .engine import Duration, Engine, Ref, StrPath, Time, Words
from .results import Cleaned, CleanupPlan, Kind, Plan, Report, Snapshot, Sort

__all__ = ["AsyncEngine", "AsyncTicket", "open"]

P = ParamSpec("P")
T = TypeVar("T")


def _awaited(
    verb: Callable[Concatenate[Engine, P], T],
) -> Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, T]]:
    """The verb, carried out in another thread."""

    @functools.wraps(verb)
    async def run(self: AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await threads.run(verb, self.engine, *args, **kwargs)

    return run


def _submitted(
    verb: Callable[Concatenate[Engine, P], plain.Ticket],
) -> Callable[Concatenate[AsyncEngine, P], AsyncTicket]:
    """The submit, which waits for nothing, with a ticket to be awaited."""

    @functools.wraps(verb)
    def run(self: AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> AsyncTicket:
        return AsyncTicket(verb(self.engine, *args, **kwargs))

    return run


def _saved(
    submit: Callable[Concatenate[Engine, P], plain.Ticket], verb: Callable[..., Snapshot]
) -> Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, Snapshot]]:
    """The save: the state is taken at once, the disk is waited for in another thread."""

    @functools.wraps(verb)
    async def run(self: AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> Snapshot:
        return await AsyncTicket(submit(self.engine, *args, **kwargs))

    return run


@final
class AsyncTicket:
    """The promise of a save that was submitted: await it. Dropping it does not undo the save."""

    __slots__ = ("_ticket",)

    def __init__(self, ticket: plain.Ticket) -> None:
        self._ticket = ticket

    def done(self) -> bool:
        """Whether it is known what became of the save."""
        return self._ticket.done()

    async def result(self) -> Snapshot:
        """Waits until the snapshot is durable, and gives it; may be asked again."""
        if self._ticket.done():
            return self._ticket.result()
        return await threads.run(self._ticket.result)

    def __await__(self) -> Generator[Any, None, Snapshot]:
        return self.result().__await__()

    def __repr__(self) -> str:
        return f"<dalsegno.aio.AsyncTicket {'done' if self.done() else 'on its way'}>"


@final
class AsyncEngine:
    """An `Engine` whose verbs are awaited. `dalsegno.aio.open` makes one; use it in `async with`, or `close` it."""

    __slots__ = ("__weakref__", "engine")

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        """The engine it is the twin of; both may be used."""

    @property
    def path(self) -> Path:
        """The store's file."""
        return self.engine.path

    @property
    def closed(self) -> bool:
        """Whether the engine was closed."""
        return self.engine.closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        closed = " (closed)" if self.closed else ""
        return f"<dalsegno.aio.AsyncEngine {str(self.path)!r}{closed}>"

    submit = _submitted(Engine.submit)
    submit_json = _submitted(Engine.submit_json)
    save = _saved(Engine.submit, Engine.save)
    save_json = _saved(Engine.submit_json, Engine.save_json)
    flush = _awaited(Engine.flush)
    close = _awaited(Engine.close)
    sessions = _awaited(Engine.sessions)
    page = _awaited(Engine.page)
    info = _awaited(Engine.info)
    restore_text = _awaited(Engine.restore_text)
    components = _awaited(Engine.components)
    log = _awaited(Engine.log)
    diff = _awaited(Engine.diff)
    diff_lines = _awaited(Engine.diff_lines)
    verify = _awaited(Engine.verify)
    stats = _awaited(Engine.stats)
    doctor = _awaited(Engine.doctor)
    undo_skip = _awaited(Engine.undo_skip)
    fork = _awaited(Engine.fork)
    rename = _awaited(Engine.rename)
    tag = _awaited(Engine.tag)
    untag = _awaited(Engine.untag)
    pin = _awaited(Engine.pin)
    unpin = _awaited(Engine.unpin)
    delete = _awaited(Engine.delete)
    undelete = _awaited(Engine.undelete)
    trash = _awaited(Engine.trash)
    purge = _awaited(Engine.purge)
    policies = _awaited(Engine.policies)
    set_policy = _awaited(Engine.set_policy)
    remove_policy = _awaited(Engine.remove_policy)
    export = _awaited(Engine.export)
    import_ = _awaited(Engine.import_)

    async def save_many(
        self,
        states: Iterable[tuple[str, object]],
        *,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        default: Callable[[Any], Any] | None = None,
    ) -> builtins.list[Snapshot]:
        """As `Engine.save_many`; all states are taken at once."""
        tickets = self.engine.submit_many(
            states, tags=tags, metadata=metadata, kind=kind, default=default
        )
        return await threads.run(plain.wait_all, tickets)

    def submit_many(
        self,
        states: Iterable[tuple[str, object]],
        *,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        default: Callable[[Any], Any] | None = None,
    ) -> builtins.list[AsyncTicket]:
        """As `Engine.submit_many`, with tickets to be awaited."""
        tickets = self.engine.submit_many(
            states, tags=tags, metadata=metadata, kind=kind, default=default
        )
        return [AsyncTicket(ticket) for ticket in tickets]

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

    @overload
    async def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: Literal[False] = False,
    ) -> Report: ...

    @overload
    async def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: Literal[True],
    ) -> Plan: ...

    @overload
    async def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: bool,
    ) -> Plan | Report: ...

    async def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: bool = False,
    ) -> Plan | Report:
        """As `Engine.put_back`."""
        return await threads.run(
            self.engine.put_back,
            ref,
            components=components,
            path=path,
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


def _some(snapshots: Iterator[Snapshot]) -> list[Snapshot]:
    """The next of them, a page at most."""
    return list(itertools.islice(snapshots, plain.PAGE))


async def open(
    path: StrPath | None = None,
    *,
    create: bool = True,
    read_only: bool = False,
    cache_bytes: int | None = None,
    busy_timeout: float = 10.0,
) -> AsyncEngine:
    """As `dalsegno.open`."""
    return AsyncEngine(
        await threads.run(
            plain.open,
            path,
            create=create,
            read_only=read_only,
            cache_bytes=cache_bytes,
            busy_timeout=busy_timeout,
        )
    )
