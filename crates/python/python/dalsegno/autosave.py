"""Saving by itself: sessions that a program registers are saved in their intervals, all that are due in one commit.

The states are asked for in a thread of its own, and the disk is waited for without the program.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from . import _dalsegno, _signals
from .asked import Asked, Duration, Keep
from .errors import DalsegnoError, InvalidInputError, NotFoundError
from .results import Opened
from .state import to_text

if TYPE_CHECKING:
    from .verbs.base import Verbs

__all__ = ["AutoSaver", "Every", "Meant", "Provider"]

Provider: TypeAlias = Callable[[], object]
"""Gives the state of a session, or None where there is nothing to save this time."""

Every: TypeAlias = float | Duration
"""How long: seconds, a `timedelta`, or text: `30s`, `5 min`."""

Answer: TypeAlias = _dalsegno.Text | bytes | tuple[_dalsegno.Text | bytes, str] | str | None
"""What is answered for a session: a state, why there is none, or that there is nothing to save."""

PATIENCE = 10.0
"""How many seconds the end of the program, or a signal, waits for the last saves."""

log = logging.getLogger("dalsegno")


@dataclasses.dataclass(frozen=True)
class Meant:
    """A state of which items are missing on purpose: what a provider gives in the place of the state.

    Said of a state that could not be saved, it goes with the next one.
    """

    state: object
    intent: str
    """`clear`, `undo`, `compress`, `skip` or words of your own: see `Engine.set_guard`."""


@dataclasses.dataclass(frozen=True)
class How:
    """How a session is saved by itself."""

    every: Every = 30.0
    jitter: float = 0.0
    min_change: int = 1
    when: Callable[[], bool] | None = None
    keep: Keep | None = None
    default: Callable[[Any], Any] | None = None

    def but(
        self,
        every: Every | None,
        jitter: float | None,
        min_change: int | None,
        when: Callable[[], bool] | None,
        keep: Keep | None,
        default: Callable[[Any], Any] | None,
    ) -> How:
        """The same, but for what is given."""
        return How(
            self.every if every is None else every,
            self.jitter if jitter is None else jitter,
            self.min_change if min_change is None else min_change,
            self.when if when is None else when,
            self.keep if keep is None else keep,
            self.default if default is None else default,
        )

    def seconds(self) -> float:
        every = self.every
        seconds = every if isinstance(every, int | float) else _dalsegno.seconds(every)
        if not 0 < seconds < 1e9:
            raise InvalidInputError(
                f"every is a time above 0, such as 1.0 seconds or '5 min', not {every!r}"
            )
        return float(seconds)

    def checked(self) -> How:
        self.seconds()
        if not 0 <= self.jitter <= 1:
            raise InvalidInputError(f"jitter is a part of the interval, 0 to 1, not {self.jitter}")
        if self.min_change < 0:
            raise InvalidInputError(
                f"min_change is a number of bytes from 0 on, not {self.min_change}"
            )
        self.rules()
        return self

    def rules(self) -> Asked | None:
        if not self.keep:
            return None
        keep = self.keep
        unknown = set(keep) - set(Keep.__annotations__)
        if unknown:
            raise InvalidInputError(
                f"keep has no rule {min(unknown)!r}; the rules are {', '.join(Keep.__annotations__)}"
            )
        return {
            "older_than": keep.get("older_than"),
            "keep_last": keep.get("keep_last"),
            "keep_hourly": keep.get("keep_hourly"),
            "keep_daily": keep.get("keep_daily"),
            "keep_weekly": keep.get("keep_weekly"),
            "keep_monthly": keep.get("keep_monthly"),
            "kinds": [],
            "tags": [],
            "keep_nothing": False,
        }


@dataclasses.dataclass(frozen=True)
class Registered:
    """A session that is saved by itself."""

    provider: Provider
    how: How

    def state(self, last: bool) -> object:
        """The state, or None; `last` whatever the condition."""
        when = self.how.when
        return self.provider() if last or when is None or when() else None

    def text(self, state: object) -> Answer:
        if isinstance(state, Meant):
            return to_text(state.state, self.how.default), state.intent
        return None if state is None else to_text(state, self.how.default)


def refusal(session: str, error: BaseException) -> str:
    """What to say of a provider that failed."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"the state of {session} could not be had: {what}"


class AutoSaver:
    """Saves sessions by itself: `Engine.auto_save` gives it.

    Use it in a `with` statement, or `stop` it. At the end of the block, also where an exception leaves it, all sessions are
    saved for the last time and closed.

    It goes on until it is stopped, its engine is closed or the program ends, also where nobody keeps it. The end of the program
    waits for the last saves as well, for ten seconds at most. In a forked process there is none: the parent goes on saving.
    """

    def __init__(self, engine: Verbs, how: How) -> None:
        self._engine = engine
        self._how = how.checked()
        self._registered: dict[str, Registered] = {}
        self._stopping = threading.Lock()
        self._saver = engine._handle.auto_save(self._ask)
        _running.add(self)

    @property
    def running(self) -> bool:
        """Whether it saves: it was not stopped, and this is the process that began it."""
        return self._saver.running

    def register(
        self,
        session: str,
        provider: Provider,
        *,
        every: Every | None = None,
        jitter: float | None = None,
        min_change: int | None = None,
        when: Callable[[], bool] | None = None,
        keep: Keep | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> Opened:
        """Opens the session, as `Engine.open_session`, and saves it by itself from now on.

        `provider` is called in another thread and gives the state, in whatever form `save` takes it: take the program's own
        lock there, where it has one. None means that there is nothing to save this time. What it raises is told as an
        event `auto_save_failed`, and it is asked again. The options are those of `Engine.auto_save`, for this session.
        Registered again, the new way takes the place of the old one.

        Raises `LockedError` where another program has the session open; `TypeError` where `provider` or `when` is no
        function, or something else that can be called.
        """
        if not callable(provider):
            raise TypeError(
                f"provider is called to give the state of {session}; {type(provider).__name__} cannot be called: "
                "give a function, such as lambda: state"
            )
        if when is not None and not callable(when):
            raise TypeError(
                f"when is called before each save of {session}; {type(when).__name__} cannot be called: "
                "give a function"
            )
        how = self._how.but(every, jitter, min_change, when, keep, default).checked()
        before = self._registered.get(session)
        self._registered[session] = Registered(provider, how)
        try:
            return self._saver.register(
                session,
                every=how.seconds(),
                jitter=how.jitter,
                min_change=how.min_change,
                keep=how.rules(),
            )
        except BaseException:
            if before is None:
                del self._registered[session]
            else:
                self._registered[session] = before
            raise

    def sessions(self) -> list[str]:
        """The sessions that are saved by themselves, by name."""
        return self._saver.sessions()

    def touch(self, session: str) -> None:
        """Something happened that is worth a save: the session is due now. Waits for nothing.

        Raises `NotFoundError` where it is not registered.
        """
        self._saver.touch(session)
        if session not in self._registered and self.running:
            raise NotFoundError(f"the session {session} is not saved by itself; register it first")

    def save_now(self, session: str | None = None) -> None:
        """Saves all sessions now, or one, and waits until that is durable.

        Raises what keeps a session from being saved; the others are saved all the same.
        """
        self._saver.save_now(session, None)

    def unregister(self, session: str) -> None:
        """Saves the session for the last time, closes it, and lets it go.

        Where it cannot be saved, it stays registered.
        """
        self._saver.save_now(session, None)
        self._saver.release(session, True)
        self._registered.pop(session, None)

    def stop(self) -> None:
        """Saves all sessions for the last time, closes them, and ends. Doing it again does nothing.

        Raises what keeps a session from being saved or closed: `recover` finds it. The others are closed.
        """
        self.finish(None)

    def save_on_signals(
        self, signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT)
    ) -> None:
        """From now on, all sessions are saved when one of these signals comes; then what happened before happens.

        The program's own handlers are called after that, and Ctrl-C raises `KeyboardInterrupt`. Where a signal ends the program,
        the sessions are closed first. The save waits for nothing that the main thread holds; a second signal does not
        wait for it, and after ten seconds neither does the first. To be called in the main thread, after the program's own
        handlers are set.
        """
        _signals.listen(self, signals)

    def finish(self, patience: float | None) -> None:
        """As `stop`; each save may take so many seconds."""
        if not self.running:
            # In a forked process, the lock may be held for ever.
            _running.discard(self)
            return
        with self._stopping:
            refused: DalsegnoError | None = None
            try:
                self._saver.save_now(None, patience)
            except DalsegnoError as error:
                # Another thread was first.
                if not self._saver.running:
                    return
                refused = error
            for session in self._saver.sessions():
                try:
                    if refused is not None:
                        self._saver.save_now(session, patience)
                    self._saver.release(session, True)
                except DalsegnoError as error:
                    refused = refused or error
                    # It is not closed as if all of it had been saved.
                    with contextlib.suppress(DalsegnoError):
                        self._saver.release(session, False)
            self._saver.end()
            self._registered.clear()
            _running.discard(self)
        _signals.forget(self)
        if refused is not None:
            raise refused

    def finish_if_it_can(self, ends: bool) -> None:
        """The last save before the program ends, or a save before it goes on; what fails is logged."""
        try:
            if ends:
                self.finish(PATIENCE)
            elif self.running:
                self._saver.save_now(None, PATIENCE)
        except (DalsegnoError, TimeoutError) as error:
            log.warning("what saves by itself could not save all sessions: %s", error)

    def check_thread(self) -> None:
        """Raises where the last save would wait for this very thread."""

    def _ask(self, sessions: list[str], last: bool) -> dict[str, Answer]:
        return {session: self._answer(session, last) for session in sessions}

    def _answer(self, session: str, last: bool) -> Answer:
        registered = self._registered.get(session)
        if registered is None:
            return None
        try:
            return registered.text(registered.state(last))
        except Exception as error:  # noqa: BLE001 - it is told as an event
            return refusal(session, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except DalsegnoError:
            # An event told it; what left the block is not hidden.
            if error is None:
                raise

    def __repr__(self) -> str:
        stopped = "" if self.running else " (stopped)"
        return f"<dalsegno.AutoSaver of {len(self.sessions())} sessions{stopped}>"


_running: set[AutoSaver] = set()
"""Those that nobody has stopped yet, in whatever process."""


def stop_of(engine: Verbs) -> DalsegnoError | None:
    """Stops what saves by itself on that engine. Gives the first refusal."""
    savers = [saver for saver in _running if saver._engine is engine]
    for saver in savers:
        saver.check_thread()
    refused: DalsegnoError | None = None
    for saver in savers:
        try:
            saver.stop()
        except DalsegnoError as error:
            refused = refused or error
    return refused


def at_exit() -> None:
    """The end of the program."""
    _signals.at_exit()
    for saver in list(_running):
        saver.finish_if_it_can(ends=True)
