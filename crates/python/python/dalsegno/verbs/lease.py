"""Opening sessions for writing, closing them, and finding those that a crash left open."""

from __future__ import annotations

import builtins
from types import TracebackType
from typing import Self, Unpack, final

from ..errors import ConflictError, InvalidInputError
from ..results import Holder, LeftOpen, Opened, Recovered, Snapshot
from .save import SaveOptions, Saving

__all__ = ["Leasing", "Session"]


@final
class Session:
    """A session that is open for writing: `Engine.open_session` and `Engine.take_over` give it.

    Use it in a `with` statement, or `close` it. At the end of the block it is closed, also where an exception leaves it:
    what was saved is all that there is of it. While it was lost to another program, an exception of the block is not hidden
    by the `ConflictError` that closing raises.
    """

    __slots__ = ("__weakref__", "_closed", "_engine", "_opened")

    def __init__(self, engine: Leasing, opened: Opened) -> None:
        self._engine = engine
        self._opened = opened
        self._closed = False

    @property
    def name(self) -> str:
        """The session's name."""
        return self._opened["session"]

    @property
    def epoch(self) -> int:
        """The number of this writer among all that the session had; it rises."""
        return self._opened["epoch"]

    @property
    def was_closed(self) -> bool:
        """Whether the writer before closed it. If not, its newest state may be older than what that one had."""
        return self._opened["was_closed"]

    def save(self, state: object, **options: Unpack[SaveOptions]) -> Snapshot:
        """Saves `state` as the session's newest state: `Engine.save`, with its options.

        Raises `ConflictError` where another program took the session over, and `InvalidInputError` where it was closed here;
        then nothing of it is stored.
        """
        self.check_open()
        return self._engine.save(self.name, state, **options)

    def close(self) -> None:
        """Closes the session: others may write it again. Doing it again does nothing.

        Raises `ConflictError` where another program took it over, and what this one had is not in it.
        """
        if self._closed:
            # It may have been opened anew since.
            return
        try:
            self._engine.close_session(self.name)
        except ConflictError:
            self._closed = True
            raise
        self._closed = True

    def check_open(self) -> None:
        """Raises where it was closed: nobody holds it, and another program may have it."""
        if self._closed:
            raise InvalidInputError(
                f"the session {self.name} was closed; open it again with open_session() to go on with it"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except ConflictError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<dalsegno.Session {self.name!r} of epoch {self.epoch}>"


class Leasing(Saving):
    """Verbs of sessions that are open."""

    __slots__ = ()

    def open_session(self, session: str) -> Session:
        """Opens a session for writing: until it is closed, only this engine may save to it, roll it back or restore it.

        Where it does not exist it is made, without a snapshot. Opening it again does nothing. It is closed by `Session.close`,
        at the end of a `with` block, by `close`, and when the program ends by itself; a program that is killed leaves it open,
        and `recover` finds it.

        Raises `LockedError`, which names the holder, where another program has it open.
        """
        return Session(self, self._handle.open_session(session, False))

    def take_over(self, session: str) -> Session:
        """Opens a session also where another program has it open.

        All that the other one saves to it from now on is refused with `ConflictError`, and nothing of it is stored.
        """
        return Session(self, self._handle.open_session(session, True))

    def close_session(self, session: str) -> None:
        """Closes a session: what was submitted is saved, and others may write it again.

        One that is not open here is left as it is. Raises `ConflictError` where another program took it over.
        """
        self._handle.close_session(session)

    def open_sessions(self) -> dict[str, int]:
        """The sessions that this engine has open, by name, with their epochs."""
        return dict(sorted(self._handle.open_sessions()))

    def holders(self) -> builtins.list[Holder]:
        """Who has which session open, or had it last, by session."""
        return self._handle.holders()

    def recover(self) -> builtins.list[Recovered]:
        """Opens every session that a program left without closing it, and puts each at its newest intact state.

        Sessions that programs have open are left alone. Each answer is for one session; one that is damaged has an `error`
        and does not hold up the others. Called again, it finds nothing: the sessions are open here. `close_session` closes
        one that is not gone on with, and `close` closes all.
        """
        return self._handle.recover()

    def left_open(self) -> builtins.list[LeftOpen]:
        """The sessions that `recover` would open. Nothing is changed."""
        return self._handle.left_open()
