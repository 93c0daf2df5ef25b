"""Sessions that are open, to be awaited."""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self, Unpack, final

from .._threads import threads
from ..engine import Engine
from ..errors import ConflictError
from ..results import Snapshot
from ..verbs.lease import Session
from ..verbs.save import SaveOptions
from .base import AsyncTicket, Twin, awaited

__all__ = ["AsyncLeasing", "AsyncSession", "Opening"]


@final
class AsyncSession:
    """A session that is open for writing, as `dalsegno.Session`; use it in `async with`, or `close` it."""

    __slots__ = ("__weakref__", "_engine", "_session")

    def __init__(self, engine: Engine, session: Session) -> None:
        self._engine = engine
        self._session = session

    @property
    def name(self) -> str:
        """The session's name."""
        return self._session.name

    @property
    def epoch(self) -> int:
        """The number of this writer among all that the session had; it rises."""
        return self._session.epoch

    @property
    def was_closed(self) -> bool:
        """Whether the writer before closed it."""
        return self._session.was_closed

    async def save(self, state: object, **options: Unpack[SaveOptions]) -> Snapshot:
        """As `dalsegno.Session.save`; the state is taken at once."""
        self._session.check_open()
        return await AsyncTicket(self._engine.submit(self.name, state, **options))

    async def close(self) -> None:
        """As `dalsegno.Session.close`."""
        await threads.run(self._session.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        except ConflictError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<dalsegno.aio.AsyncSession {self.name!r} of epoch {self.epoch}>"


@final
class Opening:
    """A session that is being opened: await it, or use it in `async with` right away."""

    __slots__ = ("_engine", "_opened", "_session", "_verb")

    def __init__(self, engine: Engine, verb: Callable[[str], Session], session: str) -> None:
        self._engine = engine
        self._verb = verb
        self._session = session
        self._opened: AsyncSession | None = None

    async def _open(self) -> AsyncSession:
        return AsyncSession(self._engine, await threads.run(self._verb, self._session))

    def __await__(self) -> Generator[Any, None, AsyncSession]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncSession:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            await self._opened.__aexit__(kind, error, trace)


class AsyncLeasing(Twin):
    """Verbs of sessions that are open."""

    __slots__ = ()

    close_session = awaited(Engine.close_session)
    open_sessions = awaited(Engine.open_sessions)
    holders = awaited(Engine.holders)
    recover = awaited(Engine.recover)
    left_open = awaited(Engine.left_open)

    def open_session(self, session: str) -> Opening:
        """As `Engine.open_session`: `async with engine.open_session(…) as session`, or await it."""
        return Opening(self.engine, self.engine.open_session, session)

    def take_over(self, session: str) -> Opening:
        """As `Engine.take_over`: `async with engine.take_over(…) as session`, or await it."""
        return Opening(self.engine, self.engine.take_over, session)
