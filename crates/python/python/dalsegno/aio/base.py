"""How verbs are awaited: what every group of the twin's verbs stands on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Concatenate, ParamSpec, TypeVar, final

from .._threads import threads
from ..engine import Engine, Ticket
from ..results import Snapshot

__all__ = ["AsyncTicket", "Twin", "awaited", "saved", "submitted"]

P = ParamSpec("P")
T = TypeVar("T")


class Twin:
    """What an engine can do and is awaited for, a part of it."""

    __slots__ = ("__weakref__", "engine")

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        """The engine it is the twin of; both may be used."""


def awaited(
    verb: Callable[Concatenate[Engine, P], T],
) -> Callable[Concatenate[Twin, P], Coroutine[Any, Any, T]]:
    """The verb, carried out in another thread."""

    @functools.wraps(verb)
    async def run(self: Twin, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await threads.run(verb, self.engine, *args, **kwargs)

    return run


def submitted(
    verb: Callable[Concatenate[Engine, P], Ticket],
) -> Callable[Concatenate[Twin, P], AsyncTicket]:
    """The submit, which waits for nothing, with a ticket to be awaited."""

    @functools.wraps(verb)
    def run(self: Twin, /, *args: P.args, **kwargs: P.kwargs) -> AsyncTicket:
        return AsyncTicket(verb(self.engine, *args, **kwargs))

    return run


def saved(
    submit: Callable[Concatenate[Engine, P], Ticket], verb: Callable[..., Snapshot]
) -> Callable[Concatenate[Twin, P], Coroutine[Any, Any, Snapshot]]:
    """The save: the state is taken at once, the disk is waited for in another thread."""

    @functools.wraps(verb)
    async def run(self: Twin, /, *args: P.args, **kwargs: P.kwargs) -> Snapshot:
        return await AsyncTicket(submit(self.engine, *args, **kwargs))

    return run


@final
class AsyncTicket:
    """The promise of a save that was submitted: await it. Dropping it does not undo the save."""

    __slots__ = ("_ticket",)

    def __init__(self, ticket: Ticket) -> None:
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
