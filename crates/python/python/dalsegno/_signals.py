"""Saving before a signal is handled as it was before.

A handler runs in the main thread, in the middle of whatever that thread does: it may hold a lock that the state is guarded
by, or be the event loop that gives it. So the handler waits for nothing. A thread saves, and sends the signal again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from types import FrameType
from typing import Any, Protocol

from .errors import InvalidInputError

__all__ = ["at_exit", "forget", "listen"]


class Saves(Protocol):
    """What is to save."""

    @property
    def running(self) -> bool: ...
    def finish_if_it_can(self, ends: bool) -> None: ...


class State:
    """What one process knows of its signals."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.savers: set[Saves] = set()
        # Signals for which the thread saves, or has saved: the next one goes on.
        self.seen: set[int] = set()
        # Its `put` may be called in a handler.
        self.work: SimpleQueue[int | None] = SimpleQueue()
        self.thread: threading.Thread | None = None


_state = State()
_before: dict[int, Any] = {}
"""The handlers that were there, of signals that are listened to."""


def listen(saver: Saves, signals: Sequence[int]) -> None:
    global _state
    if threading.current_thread() is not threading.main_thread():
        raise InvalidInputError(
            "save_on_signals is called in the main thread: Python handles signals there"
        )
    if _state.process != os.getpid():
        _state = State()
    for number in signals:
        there = signal.getsignal(number)
        if there is None:
            raise InvalidInputError(
                f"{signal.Signals(number).name} has a handler that is not Python's, and could not go on after the save"
            )
        if there is not _on_signal:
            _before[number] = there
            signal.signal(number, _on_signal)
    _state.savers.add(saver)
    if _state.thread is None:
        _state.thread = threading.Thread(
            target=_save, args=(_state,), name="dalsegno-signals", daemon=True
        )
        _state.thread.start()


def forget(saver: Saves) -> None:
    """The saver was stopped. Its signals are handled as before once nobody needs them."""
    _state.savers.discard(saver)
    in_main = threading.current_thread() is threading.main_thread()
    if not _state.savers and in_main and _state.process == os.getpid():
        _restore()


def at_exit() -> None:
    """From now on, signals are handled as they were before."""
    if _state.process != os.getpid():
        return
    _state.savers.clear()
    _restore()
    if _state.thread is not None:
        _state.work.put(None)
        _state.thread.join()
        _state.thread = None


def _restore() -> None:
    for number, before in list(_before.items()):
        # Unless the program has set another one since.
        if signal.getsignal(number) is _on_signal:
            signal.signal(number, before)
            del _before[number]


def _on_signal(number: int, frame: FrameType | None) -> None:
    state = _state
    # In a forked process, none is.
    saves = any(saver.running for saver in tuple(state.savers))
    if saves and number not in state.seen:
        state.seen.add(number)
        state.work.put(number)
        return
    state.seen.discard(number)
    before = _before.get(number, signal.SIG_DFL)
    if callable(before):
        before(number, frame)
    elif before == signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


def _save(state: State) -> None:
    main = threading.main_thread()
    while (number := state.work.get()) is not None:
        ends = _before.get(number) == signal.SIG_DFL
        for saver in list(state.savers):
            saver.finish_if_it_can(ends)
        # Nobody was impatient meanwhile.
        if number in state.seen and main.ident is not None:
            signal.pthread_kill(main.ident, number)
