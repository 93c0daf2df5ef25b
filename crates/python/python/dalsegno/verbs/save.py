"""Saving."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, final

from .. import _dalsegno
from ..errors import DalsegnoError, InvalidInputError
from ..results import Kind, Snapshot
from ..state import to_text
from .base import Ref, Verbs, Words, to_ref, to_words

__all__ = ["SaveOptions", "Saving", "Ticket", "wait_all"]


class SaveOptions(TypedDict, total=False):
    """The options of `Engine.save`."""

    name: str | None
    label: str | None
    description: str | None
    tags: Words
    metadata: Mapping[str, Any] | None
    kind: Kind
    turn: int | None
    schema_version: str | None
    intent: str | None
    behalf: str | None
    pin: bool
    expect: Ref | None
    expect_new: bool
    default: Callable[[Any], Any] | None


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


class Saving(Verbs):
    """Verbs that save."""

    __slots__ = ()

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
        intent: str | None = None,
        behalf: str | None = None,
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
        deleted. `intent` says that items of guarded lists are missing on purpose: `clear`, `undo`, `compress`, `skip` or words
        of your own (see `set_guard`). `behalf` is for whom it is done, where this program acts for others: the audit log says so. With `expect`, the save is refused with `ConflictError` unless that is still the session's newest
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
            intent=intent,
            behalf=behalf,
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
        intent: str | None = None,
        behalf: str | None = None,
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
            intent=intent,
            behalf=behalf,
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
        intent: str | None = None,
        behalf: str | None = None,
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
            intent=intent,
            behalf=behalf,
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
        intent: str | None = None,
        behalf: str | None = None,
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
            intent=intent,
            behalf=behalf,
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
        intent: str | None = None,
        behalf: str | None = None,
        pin: bool = False,
        expect: Ref | None = None,
        expect_new: bool = False,
    ) -> Ticket:
        if expect is not None and expect_new:
            raise InvalidInputError("expect and expect_new contradict each other")
        newest = None if expect is None else to_ref(expect)
        ticket = self._handle.submit(
            session,
            text,
            name=name,
            label=label,
            description=description,
            tags=to_words(tags),
            metadata=None if metadata is None else bytes(to_text(dict(metadata))).decode(),
            kind=kind,
            turn=turn,
            schema_version=schema_version,
            intent=intent,
            behalf=behalf,
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
        tags = to_words(tags)
        texts = [(session, to_text(state, default)) for session, state in states]
        return [
            self._submit(session, text, tags=tags, metadata=metadata, kind=kind)
            for session, text in texts
        ]


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
