"""The engine: a store of sessions and everything that can be done with it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar, final, overload

from . import _dalsegno
from .asked import Asked, Duration
from .errors import DalsegnoError, DamagedError, InvalidInputError
from .results import (
    Cleaned,
    CleanupPlan,
    Diagnosis,
    Diff,
    Imported,
    Kind,
    LogEntry,
    Page,
    Plan,
    Policy,
    Purged,
    Report,
    Snapshot,
    Sort,
    Stats,
    Trashed,
    Verification,
)
from .state import build, from_text, to_text

__all__ = ["Duration", "Engine", "Ref", "StrPath", "Ticket", "Time", "Words", "open"]

T = TypeVar("T")

StrPath: TypeAlias = str | PathLike[str]
"""A path: a `str` or a `pathlib.Path`."""

Ref: TypeAlias = str | Snapshot
"""A snapshot: its id or the beginning of it, its name, `SESSION@latest`, `SESSION@-2`, `SESSION@turn:42`,
`SESSION@2026-11-20T10:00`, `SESSION@NAME`, or what `save`, `info` or `list` gave."""

Time: TypeAlias = datetime | timedelta | str
"""A time: a `datetime` (local where it has no zone), a `timedelta` before now, or text: `2026-11-20T21:30`, or `24h`
for so long ago."""

Words: TypeAlias = str | Iterable[str]
"""One word, or several."""

PAGE = 500
"""How many snapshots `list` asks the store for at once."""


def _ref(reference: Ref) -> str:
    return reference if isinstance(reference, str) else reference["id"]


def _time(time: Time | None) -> Time | None:
    # What has no zone is local, as everywhere in Python.
    return time.astimezone() if isinstance(time, datetime) and time.tzinfo is None else time


def _words(words: Words | None) -> list[str]:
    if words is None:
        return []
    return [words] if isinstance(words, str) else list(words)


def _rules(
    older_than: Duration | None,
    keep_last: int | None,
    keep_hourly: int | None,
    keep_daily: int | None,
    keep_weekly: int | None,
    keep_monthly: int | None,
    kind: Words | None,
    tag: Words | None,
    keep_nothing: bool,
) -> Asked | None:
    """The rules that are asked for; None where none are."""
    asked: Asked = {
        "older_than": older_than,
        "keep_last": keep_last,
        "keep_hourly": keep_hourly,
        "keep_daily": keep_daily,
        "keep_weekly": keep_weekly,
        "keep_monthly": keep_monthly,
        "kinds": _words(kind),
        "tags": _words(tag),
        "keep_nothing": keep_nothing,
    }
    unasked = (None, False)
    # 0 is asked for, though it equals False.
    some = any(
        not any(value is none for none in unasked) and value != [] for value in asked.values()
    )
    return asked if some else None


@final
class Ticket:
    """The promise of a save that was submitted. Dropping it does not undo the save."""

    __slots__ = ("_ticket",)

    def __init__(self, ticket: _dalsegno.Ticket) -> None:
        self._ticket = ticket

    def done(self) -> bool:
        """Whether it is known what became of the save."""
        return self._ticket.done()

    def result(self, timeout: float | None = None) -> Snapshot:
        """Waits until the snapshot is durable, and gives it; may be asked again.

        Raises what `Engine.save` raises, and `TimeoutError` where it takes longer than `timeout` seconds: the
        save goes on.
        """
        return self._ticket.result(timeout)

    def __repr__(self) -> str:
        return f"<dalsegno.Ticket {'done' if self.done() else 'on its way'}>"


@final
class Engine:
    """A store of sessions. `dalsegno.open` makes one; use it in a `with` statement, or `close` it.

    An engine may be shared between threads. It may also be kept across `os.fork` and `multiprocessing`: it is
    opened again in the child when it is used there.
    """

    __slots__ = ("__weakref__", "_handle")

    def __init__(self, handle: _dalsegno.Handle) -> None:
        self._handle = handle

    # The store itself

    @property
    def path(self) -> Path:
        """The store's file."""
        return self._handle.path

    @property
    def read_only(self) -> bool:
        """Whether the store can only be read: saves are refused."""
        return self._handle.read_only

    @property
    def closed(self) -> bool:
        """Whether the engine was closed."""
        return self._handle.closed

    def flush(self) -> None:
        """Waits until everything submitted before is committed or refused; each ticket tells which."""
        self._handle.flush()

    def close(self) -> None:
        """Finishes what was submitted, packs records and closes the store. Doing it again does nothing.

        Where it raises, packing failed; every acknowledged snapshot is safe all the same.
        """
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = " (closed)" if self.closed else ""
        return f"<dalsegno.Engine {str(self.path)!r}{closed}>"

    # Saving

    def save(
        self,
        session: str,
        state: object,
        *,
        name: str | None = None,
        label: str | None = None,
        description: str | None = None,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        turn: int | None = None,
        schema_version: str | None = None,
        pin: bool = False,
        expect: Ref | None = None,
        expect_new: bool = False,
        default: Callable[[Any], Any] | None = None,
    ) -> Snapshot:
        """Saves `state` as the newest state of `session`, and waits until it is durable.

        The state is a dict, a list or any other value that JSON has, a dataclass or a pydantic model, or these
        in each other; `default` is asked for anything else, as in `json.dumps`. NaN and infinities are refused.

        `name` is unique within the session, `tags` are words to filter by, `metadata` is free. `turn` is the
        session's turn; unless given, it is the state's integer `turn_count`, else `turn`. What is pinned is never
        deleted. With `expect`, the save is refused with `ConflictError` unless that is still the session's newest
        snapshot; with `expect_new`, unless the session does not exist yet.

        Saves of several threads share one commit.
        """
        return self.submit(
            session,
            state,
            name=name,
            label=label,
            description=description,
            tags=tags,
            metadata=metadata,
            kind=kind,
            turn=turn,
            schema_version=schema_version,
            pin=pin,
            expect=expect,
            expect_new=expect_new,
            default=default,
        ).result()

    def save_json(
        self,
        session: str,
        text: bytes | str,
        *,
        name: str | None = None,
        label: str | None = None,
        description: str | None = None,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        turn: int | None = None,
        schema_version: str | None = None,
        pin: bool = False,
        expect: Ref | None = None,
        expect_new: bool = False,
    ) -> Snapshot:
        """Saves JSON text, which is kept byte for byte, white space included. Otherwise as `save`."""
        return self.submit_json(
            session,
            text,
            name=name,
            label=label,
            description=description,
            tags=tags,
            metadata=metadata,
            kind=kind,
            turn=turn,
            schema_version=schema_version,
            pin=pin,
            expect=expect,
            expect_new=expect_new,
        ).result()

    def submit(
        self,
        session: str,
        state: object,
        *,
        name: str | None = None,
        label: str | None = None,
        description: str | None = None,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        turn: int | None = None,
        schema_version: str | None = None,
        pin: bool = False,
        expect: Ref | None = None,
        expect_new: bool = False,
        default: Callable[[Any], Any] | None = None,
    ) -> Ticket:
        """As `save`, but does not wait for the disk: the ticket tells what became of it.

        The state is taken as it is now; what is changed in it afterwards is not saved.
        """
        return self._submit(
            session,
            to_text(state, default),
            name=name,
            label=label,
            description=description,
            tags=tags,
            metadata=metadata,
            kind=kind,
            turn=turn,
            schema_version=schema_version,
            pin=pin,
            expect=expect,
            expect_new=expect_new,
        )

    def submit_json(
        self,
        session: str,
        text: bytes | str,
        *,
        name: str | None = None,
        label: str | None = None,
        description: str | None = None,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        turn: int | None = None,
        schema_version: str | None = None,
        pin: bool = False,
        expect: Ref | None = None,
        expect_new: bool = False,
    ) -> Ticket:
        """As `save_json`, but does not wait for the disk: the ticket tells what became of it."""
        if isinstance(text, str):
            # A lone surrogate has no UTF-8; this writes it as JSON's own escape.
            text = text.encode("utf-8", "backslashreplace")
        return self._submit(
            session,
            text,
            name=name,
            label=label,
            description=description,
            tags=tags,
            metadata=metadata,
            kind=kind,
            turn=turn,
            schema_version=schema_version,
            pin=pin,
            expect=expect,
            expect_new=expect_new,
        )

    def _submit(
        self,
        session: str,
        text: _dalsegno.Text | bytes,
        *,
        name: str | None = None,
        label: str | None = None,
        description: str | None = None,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        turn: int | None = None,
        schema_version: str | None = None,
        pin: bool = False,
        expect: Ref | None = None,
        expect_new: bool = False,
    ) -> Ticket:
        if expect is not None and expect_new:
            raise InvalidInputError("expect and expect_new contradict each other")
        newest = None if expect is None else _ref(expect)
        ticket = self._handle.submit(
            session,
            text,
            name=name,
            label=label,
            description=description,
            tags=_words(tags),
            metadata=None if metadata is None else bytes(to_text(dict(metadata))).decode(),
            kind=kind,
            turn=turn,
            schema_version=schema_version,
            pin=pin,
            expect_newest=newest,
            expect_new=expect_new,
        )
        return Ticket(ticket)

    def save_many(
        self,
        states: Iterable[tuple[str, object]],
        *,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        default: Callable[[Any], Any] | None = None,
    ) -> builtins.list[Snapshot]:
        """Saves pairs of a session and its state in as few commits as can be, and waits for all of them.

        A dict of sessions and states has them as `states.items()`.

        Where one is refused, the others are saved all the same; then the first refusal is raised.
        """
        return wait_all(
            self.submit_many(states, tags=tags, metadata=metadata, kind=kind, default=default)
        )

    def submit_many(
        self,
        states: Iterable[tuple[str, object]],
        *,
        tags: Words = (),
        metadata: Mapping[str, Any] | None = None,
        kind: Kind = "manual",
        default: Callable[[Any], Any] | None = None,
    ) -> builtins.list[Ticket]:
        """As `save_many`, but does not wait for the disk. Where one state is no JSON, none is submitted."""
        tags = _words(tags)
        texts = [(session, to_text(state, default)) for session, state in states]
        return [
            self._submit(session, text, tags=tags, metadata=metadata, kind=kind)
            for session, text in texts
        ]

    # Finding

    def sessions(self) -> builtins.list[str]:
        """The names of all sessions, sorted."""
        return self._handle.sessions()

    def list(
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
    ) -> Iterator[Snapshot]:
        """The snapshots of a session or of all, the newest first, as they are asked for.

        `since` and `until` include the moment they name; `kind` is one or several, of tags all are needed. Content is
        never read. Where rows are damaged, all others come first, and then `DamagedError` names them.
        """
        pages = _Pages(
            self._handle,
            session,
            _time(since),
            _time(until),
            _words(kind),
            _words(tag),
            name,
            sort,
            reverse,
        )
        # So that a wrong session or filter is told here, not where the first snapshot is asked for.
        first = pages.page(PAGE if limit is None else min(limit, PAGE), None)
        return pages.all(first, limit)

    def page(
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
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """A page of `list`. Its `next` is the `cursor` of the page after it, also while snapshots are added."""
        pages = _Pages(
            self._handle,
            session,
            _time(since),
            _time(until),
            _words(kind),
            _words(tag),
            name,
            sort,
            reverse,
        )
        return pages.page(limit, cursor)

    def info(self, ref: Ref) -> Snapshot:
        """What is known of a snapshot without reading its content."""
        return self._handle.info(_ref(ref))

    # Reading

    @overload
    def restore(self, ref: Ref, *, component: str | None = None) -> Any: ...

    @overload
    def restore(self, ref: Ref, *, component: str | None = None, into: type[T]) -> T: ...

    @overload
    def restore(self, ref: Ref, *, component: str | None = None, into: Any) -> Any: ...

    def restore(self, ref: Ref, *, component: str | None = None, into: Any = None) -> Any:
        """Reads a snapshot's state, proved to be what was saved. Nothing is changed; see `put_back` for that.

        With `component`, only that member of the state. With `into`, as a pydantic model, a dataclass (also nested,
        in lists and in dicts), or whatever a pydantic `TypeAdapter` makes; else as `json.loads` has it.
        """
        text = self._handle.text(_ref(ref), component)
        return from_text(text) if into is None else build(into, text)

    def restore_text(self, ref: Ref, *, component: str | None = None) -> bytes:
        """Reads the saved bytes of a snapshot's state, or of one component's value."""
        return self._handle.text(_ref(ref), component)

    def components(self, ref: Ref) -> builtins.list[str]:
        """The components of a snapshot's state: its members, or `document` where it is no object."""
        return self._handle.components(_ref(ref))

    def log(self, session: str, *, limit: int = 50) -> builtins.list[LogEntry]:
        """What was done to a session, newest first: its saves, restores, rollbacks, undos and redos."""
        return self._handle.log(session, limit)

    def diff(self, a: Ref, b: Ref) -> Diff:
        """What differs between the states of two snapshots, from `a` to `b`."""
        return self._handle.diff(_ref(a), _ref(b))

    def diff_lines(self, a: Ref, b: Ref, *, limit: int = 20) -> builtins.list[str]:
        """`diff` as lines for people, at most `limit` of one component."""
        return self._handle.diff_lines(_ref(a), _ref(b), limit)

    def verify(self, session: str | None = None) -> Verification:
        """Proves every snapshot of a session, or of the whole store and its structure.

        Damage is not raised: it is in the answer's `damage`.
        """
        return self._handle.verify(session)

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

    # Putting back

    @overload
    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: Literal[False] = False,
    ) -> Report: ...

    @overload
    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: Literal[True],
    ) -> Plan: ...

    @overload
    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: bool,
    ) -> Plan | Report: ...

    def put_back(
        self,
        ref: Ref,
        *,
        components: Words = (),
        path: StrPath | None = None,
        dry_run: bool = False,
    ) -> Plan | Report:
        """Makes a snapshot's state, or some of its components, the newest state of its session.

        With `path`, it is written into that file instead, whole or not at all; what stood there is kept as a `safety`
        snapshot. Either can be taken back with `undo`. With `dry_run`, the plan, and nothing is changed.
        """
        return self._handle.put_back(_ref(ref), _words(components), path, dry_run)

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
            to=None if to is None else _ref(to),
            turn=turn,
            at=_time(at),
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
        return self._handle.fork(_ref(ref), name, dry_run)

    # What is said of a snapshot

    def rename(self, ref: Ref, name: str | None) -> Snapshot:
        """Gives a snapshot another name, or takes its name away."""
        return self._handle.rename(_ref(ref), name)

    def tag(self, ref: Ref, *tags: str) -> Snapshot:
        """Adds tags to a snapshot; those it has stay."""
        return self._handle.tag(_ref(ref), list(tags))

    def untag(self, ref: Ref, *tags: str) -> Snapshot:
        """Takes tags away from a snapshot; those it does not have are passed over."""
        return self._handle.untag(_ref(ref), list(tags))

    def pin(self, ref: Ref) -> Snapshot:
        """Pins a snapshot, so that nothing deletes it."""
        return self._handle.pin(_ref(ref), True)

    def unpin(self, ref: Ref) -> Snapshot:
        """Unpins a snapshot."""
        return self._handle.pin(_ref(ref), False)

    # What goes

    def delete(
        self, *refs: Ref, grace: Duration | None = None, dry_run: bool = False
    ) -> builtins.list[Snapshot]:
        """Moves snapshots to the trash, where they are kept for `grace`: 7 days unless given.

        Where one is pinned, `AccessDeniedError`, and nothing is deleted.
        """
        return self._handle.delete([_ref(ref) for ref in refs], grace, dry_run)

    def undelete(self, *refs: Ref, dry_run: bool = False) -> builtins.list[Snapshot]:
        """Takes snapshots out of the trash, each to its old place in the history."""
        return self._handle.undelete([_ref(ref) for ref in refs], dry_run)

    def trash(self, session: str | None = None) -> builtins.list[Trashed]:
        """What is in the trash, of one session or of all, in commit order."""
        return self._handle.trash(session)

    def purge(
        self,
        *snapshots: Ref,
        everything: bool = False,
        session: str | None = None,
        dry_run: bool = False,
    ) -> Purged:
        """Deletes for good what has been in the trash for its time, and gives the space back to the file system.

        With snapshots (or their whole ids), only these, whatever their time; with `everything`, all of the trash, of one
        `session` or of all.
        """
        if snapshots and (everything or session is not None):
            raise InvalidInputError("name snapshots, or ask for everything; not both")
        if session is not None and not everything:
            raise InvalidInputError("a session goes with everything=True")
        ids = [_ref(snapshot) for snapshot in snapshots] if snapshots else None
        return self._handle.purge(ids, everything, session, dry_run)

    @overload
    def cleanup(
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
    def cleanup(
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
    def cleanup(
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

    def cleanup(
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
        """Deletes old snapshots by rules; without, each session's by the policy that is stored for it.

        What one of the keep rules keeps stays, and what is younger than `older_than`; all else goes to the trash for
        `grace`, or with `purge` at once. Pinned snapshots stay, and the newest state unless `keep_nothing`. With `dry_run`, the
        plan, with the reason for each snapshot.
        """
        rules = _rules(
            older_than,
            keep_last,
            keep_hourly,
            keep_daily,
            keep_weekly,
            keep_monthly,
            kind,
            tag,
            keep_nothing,
        )
        return self._handle.cleanup(session, rules, grace, purge, dry_run)

    def policies(self) -> builtins.list[Policy]:
        """The stored policies, in the order in which they were made."""
        return self._handle.policies()

    def set_policy(
        self,
        pattern: str,
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
    ) -> None:
        """Keeps rules for the sessions of a pattern, such as `bot/*`, in the place of those it had."""
        rules = _rules(
            older_than,
            keep_last,
            keep_hourly,
            keep_daily,
            keep_weekly,
            keep_monthly,
            kind,
            tag,
            keep_nothing,
        )
        if rules is None:
            raise InvalidInputError(f"the policy for '{pattern}' has no rules: say what to keep")
        self._handle.set_policy(pattern, rules, grace)

    def remove_policy(self, pattern: str) -> None:
        """Removes the policy of that pattern."""
        self._handle.remove_policy(pattern)

    # Out and in

    def export(self, path: StrPath, *, session: str | None = None) -> int:
        """Writes the snapshots of a session, or of all, to a file as one JSON object. Gives how many.

        The file is only for its owner, and written whole or not at all.
        """
        return self._handle.export(path, session)

    def import_(self, source: StrPath | bytes) -> Imported:
        """Adds the snapshots of an export: a file's path, or its bytes. Those that are there are passed over."""
        if isinstance(source, bytes):
            return self._handle.import_text(source)
        return self._handle.import_file(source)


def wait_all(tickets: list[Ticket]) -> list[Snapshot]:
    """Waits for all of them, and then raises the first refusal."""
    saved: list[Snapshot] = []
    refused: DalsegnoError | None = None
    for ticket in tickets:
        try:
            saved.append(ticket.result())
        except DalsegnoError as error:
            refused = refused or error
    if refused is not None:
        raise refused
    return saved


@final
class _Pages:
    """A listing that is asked for."""

    def __init__(
        self,
        handle: _dalsegno.Handle,
        session: str | None,
        since: Time | None,
        until: Time | None,
        kind: list[str],
        tags: list[str],
        name: str | None,
        sort: str,
        reverse: bool,
    ) -> None:
        self.handle = handle
        self.session = session
        self.since = since
        self.until = until
        self.kind = kind
        self.tags = tags
        self.name = name
        self.sort = sort
        self.reverse = reverse

    def page(self, limit: int, cursor: str | None) -> Page:
        return self.handle.page(
            self.session,
            since=self.since,
            until=self.until,
            kind=self.kind,
            tags=self.tags,
            name=self.name,
            sort=self.sort,
            reverse=self.reverse,
            limit=limit,
            cursor=cursor,
        )

    def all(self, page: Page, limit: int | None) -> Iterator[Snapshot]:
        damaged: list[str] = []
        left = limit
        while True:
            yield from page["snapshots"]
            damaged += page["damaged"]
            if left is not None:
                left -= len(page["snapshots"])
            if page["next"] is None or left == 0:
                break
            page = self.page(PAGE if left is None else min(left, PAGE), page["next"])
        if damaged:
            raise DamagedError(
                f"the rows of these snapshots are damaged: {', '.join(damaged)}; run verify"
            )


def open(
    path: StrPath | None = None,
    *,
    create: bool = True,
    read_only: bool = False,
    cache_bytes: int | None = None,
    busy_timeout: float = 10.0,
) -> Engine:
    """Opens the store at `path`: a file, or a folder that holds `store.db`.

    Where there is none, it is made, unless `create` is False: a path that ends with `.db` is the file, any other is a
    folder. Without a path, it is the store that the command would use: what the environment's `DALSEGNO_STORE` says, that of
    the working directory's `.dalsegno`, that of the user's data folder; else one is made in `.dalsegno`.

    With `read_only`, nothing is written and nothing is made. `cache_bytes` is how much memory newest states may take (256
    MiB), `busy_timeout` how many seconds to wait for another process that writes.

    Raises `StoreNotFoundError` (a `FileNotFoundError`) where there is none, `InvalidInputError` where something else stands
    there, `DamagedError`, `AccessDeniedError`, `StorageError`.
    """
    return Engine(_dalsegno.Handle(path, create, read_only, cache_bytes, busy_timeout))
