"""Attending to what other programs ask for of the sessions that this one has open.

The program is called in a thread of its own, one call at a time.
"""

from __future__ import annotations

import contextvars
import dataclasses
import inspect
import logging
import os
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from . import _dalsegno
from .autosave import PATIENCE, Meant
from .errors import DalsegnoError, InvalidInputError
from .results import Peer
from .state import from_text, to_text

if TYPE_CHECKING:
    from .verbs.base import Verbs

__all__ = ["Attendant", "Attending", "Request"]

WAKE = 0.1
"""How long a wait lasts at most before signals (Ctrl-C) are looked for."""

log = logging.getLogger("dalsegno")


@dataclasses.dataclass(frozen=True)
class Request:
    """What another program asks of this one."""

    session: str
    """Of which session: this program has it open."""
    verb: str
    """What is to be done."""
    arguments: Any
    """With what: any value that JSON has."""
    by: Peer
    """Who asks."""
    text: _dalsegno.Text | None = dataclasses.field(default=None, repr=False)

    @property
    def state_text(self) -> bytes | None:
        """The state that goes with it, as JSON text; None where none does."""
        return None if self.text is None else bytes(self.text)

    @property
    def state(self) -> Any:
        """The state that goes with it, read."""
        text = self.state_text
        return None if text is None else from_text(text)


class Attendant:
    """What a program does about requests: override what it has a say in. Each method may be `async def` in asyncio.

    Methods are called one at a time. Meanwhile saves go on, but for those of `auto_save` of the session that is being changed.
    """

    def asked(self, request: Request) -> object:
        """Somebody asks for something. None leaves it to the engine, which carries out `save`, `rollback`, `undo`, `redo`,
        `restore` and `guard_restore`, and refuses any other verb; anything else that JSON has is the answer.

        What it raises is the answer to whoever asks, and nothing is done. A program that changes its state in other threads stops
        that here, for these deeds, until `load` or `failed`.
        """
        del request
        return None

    def load(self, request: Request, state: Any) -> object:
        """It was carried out, and this is the session's newest state, which the program goes on with from now on.

        False where it does not: then whoever asks is told that the running program was not told, and its next save goes on top. What
        it raises is told as well, as the reason.
        """
        del request, state
        return False

    def failed(self, request: Request, error: DalsegnoError) -> object:
        """It could not be carried out, and nothing is to be loaded: the program goes on as it was."""
        del request, error
        return None

    def freeze(self, session: str, to: Peer) -> object:
        """Another program wants to go on with a session. From here on this one changes nothing of it, and gives its last state
        (or `Meant`); None where that is saved already. Then comes `handed_over`, or `unfreeze`.

        What it raises is told to the other one, and this one goes on as before. Unless it is overridden, nothing is handed over.
        """
        del to
        raise InvalidInputError(f"this program does not hand {session} over")

    def unfreeze(self, session: str, why: str) -> object:
        """The session is open here, as before: the other one gave it back, or ended, or took too long."""
        del session, why
        return None

    def handed_over(self, session: str, to: Peer) -> object:
        """The other one keeps the session. Nothing of it is saved here any more."""
        del session, to
        return None


Asked: TypeAlias = Callable[[Request], object]
Load: TypeAlias = Callable[[Request, Any], object]
Failed: TypeAlias = Callable[[Request, DalsegnoError], object]
Freeze: TypeAlias = Callable[[str, Peer], object]
Unfreeze: TypeAlias = Callable[[str, str], object]
HandedOver: TypeAlias = Callable[[str, Peer], object]

Told: TypeAlias = tuple[str, str, Any, _dalsegno.Text | None, Peer]
"""A request, as the engine tells it."""


@dataclasses.dataclass(frozen=True)
class Calls:
    """What is called, each with what it stands for."""

    attendant: Attendant | None
    asked: Asked | None
    load: Load | None
    failed: Failed | None
    freeze: Freeze | None
    unfreeze: Unfreeze | None
    handed_over: HandedOver | None
    default: Callable[[Any], Any] | None

    def named(self, name: str) -> Callable[..., object]:
        """What was given by that name, the attendant's own, or what an attendant does unless it says otherwise."""
        given = getattr(self, name)
        if given is None:
            given = getattr(self.attendant, name, None) or getattr(Attendant(), name)
        return cast("Callable[..., object]", given)


_within: contextvars.ContextVar[int] = contextvars.ContextVar("dalsegno_attends", default=0)
"""The process in which this is one of the program's calls."""


class Attending:
    """Attends to what other programs ask for: `Engine.attend` gives it.

    Use it in a `with` statement, or `stop` it. It goes on until it is stopped, its engine is closed or the program ends, also
    where nobody keeps it. In a forked process there is none: the parent goes on.
    """

    def __init__(self, engine: Verbs, calls: Calls) -> None:
        self._engine = engine
        self._calls = calls
        self._attending = engine._handle.attend(_Program(self))
        _running.add(self)

    @property
    def running(self) -> bool:
        """Whether it attends: it was not stopped, and this is the process that began it."""
        return self._attending.running

    def stop(self) -> None:
        """Attends to nothing any more; what was begun is ended first. Whoever asks from now on is told so at once.

        Called again, or by what attends, it does not wait.
        """
        self.finish(None)

    def finish(self, patience: float | None) -> bool:
        """As `stop`; false where what was begun takes longer than so many seconds."""
        _running.discard(self)
        self._attending.leave()
        end = None if patience is None else time.monotonic() + patience
        while _within.get() != os.getpid():
            left = WAKE if end is None else min(WAKE, end - time.monotonic())
            if self._attending.has_ended(max(left, 0.0)):
                return True
            if left <= 0:
                return False
        return True

    def check_thread(self) -> None:
        """Raises where the end would wait for this very thread."""

    def call(self, name: str, *arguments: object) -> object:
        """Calls the program."""
        given = self._run(self._calls.named(name), arguments)
        if inspect.isawaitable(given):
            if isinstance(given, Coroutine):
                given.close()
            raise InvalidInputError(
                f"{name} is awaited, which needs an event loop: attend with dalsegno.aio"
            )
        return given

    def _run(self, work: Callable[..., object], arguments: tuple[object, ...]) -> object:
        token = _within.set(os.getpid())
        try:
            return work(*arguments)
        finally:
            _within.reset(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<dalsegno.Attending{'' if self.running else ' (stopped)'}>"


class _Program:
    """What the engine's thread calls."""

    def __init__(self, attending: Attending) -> None:
        self._attending = attending

    def _call(self, name: str, *arguments: object) -> object:
        try:
            return self._attending.call(name, *arguments)
        except DalsegnoError:
            # The program says so itself.
            raise
        except Exception:
            log.warning("what attends to requests raised in %s", name, exc_info=True)
            raise

    def _text(self, value: object) -> _dalsegno.Text | bytes:
        return to_text(value, self._attending._calls.default)

    def asked(self, told: Told) -> _dalsegno.Text | bytes | None:
        answer = self._call("asked", _request(told))
        return None if answer is None else self._text(answer)

    def load(self, told: Told, text: bytes) -> bool:
        return self._call("load", _request(told), from_text(text)) is not False

    def failed(self, told: Told, error: DalsegnoError) -> None:
        self._call("failed", _request(told), error)

    def freeze(
        self, session: str, to: Peer
    ) -> _dalsegno.Text | bytes | tuple[_dalsegno.Text | bytes, str] | None:
        state = self._call("freeze", session, to)
        if isinstance(state, Meant):
            return self._text(state.state), state.intent
        return None if state is None else self._text(state)

    def unfreeze(self, session: str, why: str) -> None:
        self._call("unfreeze", session, why)

    def handed_over(self, session: str, to: Peer) -> None:
        self._call("handed_over", session, to)


def _request(told: Told) -> Request:
    session, verb, arguments, text, by = told
    return Request(session, verb, arguments, by, text)


_running: set[Attending] = set()
"""Those that nobody has stopped yet, in whatever process."""


def stop_of(engine: Verbs) -> None:
    """Stops what attends on that engine."""
    found = [attending for attending in _running if attending._engine is engine]
    for attending in found:
        attending.check_thread()
    for attending in found:
        attending.stop()


def at_exit() -> None:
    """The end of the program."""
    for attending in list(_running):
        try:
            if not attending.finish(PATIENCE):
                log.warning("what attends to requests did not end")
        except DalsegnoError as error:
            log.warning("what attends to requests could not be stopped: %s", error)
