"""Saving, to be awaited."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._threads import threads
from ..engine import Engine, Words
from ..results import Kind, Snapshot
from ..verbs.save import wait_all
from .base import AsyncTicket, Twin, saved, submitted

__all__ = ["AsyncSaving"]


class AsyncSaving(Twin):
    """Verbs that save."""

    __slots__ = ()

    submit = submitted(Engine.submit)
    submit_json = submitted(Engine.submit_json)
    save = saved(Engine.submit, Engine.save)
    save_json = saved(Engine.submit_json, Engine.save_json)

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
        return await threads.run(wait_all, tickets)

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
