"""A store that is proved round after round, beside whatever else the program does."""

from __future__ import annotations

import contextlib
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

from .errors import DalsegnoError, InvalidInputError
from .results import ScrubProgress

if TYPE_CHECKING:
    from .verbs.base import Verbs

__all__ = ["RATE", "Scrubbing"]

RATE = 10 << 20
"""How many bytes are proved in a second, where nobody says otherwise."""

WAKE = 0.1
"""How long a wait lasts at most before signals (Ctrl-C) are looked for."""


@final
class Scrubbing:
    """A scrub at work: `Engine.scrub` gives it. Use it in a `with` statement, or `stop` it.

    It stops as well where nobody keeps it any longer, its engine is closed, or the program ends. A fork waits for the state that it
    is at, and the parent goes on with it.
    """

    def __init__(self, engine: Verbs, rate: int, once: bool) -> None:
        if rate < 0:
            raise InvalidInputError(
                f"rate is a number of bytes in a second from 0 on, and 0 is as fast as it goes, not {rate}"
            )
        # Which is open as long as somebody has this.
        self._engine = engine
        self._scrubbing = engine._handle.scrub(rate=rate, once=once)

    @property
    def running(self) -> bool:
        """Whether it is at work, and this is the process that began it."""
        return self._scrubbing.running

    def progress(self) -> ScrubProgress:
        """How far it is, and what it found. Waits for nothing."""
        return self._scrubbing.progress()

    def wait(self, timeout: float | None = None) -> ScrubProgress:
        """Waits until it has ended, but no longer than `timeout` seconds, and says how far it is.

        It ends after one round, where it was to be `once`, and otherwise where it is stopped: Ctrl-C stops it too. Raises what
        kept it from going on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                left = WAKE if end is None else min(WAKE, end - time.monotonic())
                reached = self._scrubbing.wait(max(left, 0.0))
                if reached["ended"] or left <= 0:
                    return reached
        except BaseException:
            # It is raised again where the scrub failed, and says so.
            with contextlib.suppress(DalsegnoError):
                self._scrubbing.stop()
            raise

    def stop(self) -> ScrubProgress:
        """Ends it, after the state that it is at, and says how far it came. Doing it again does nothing.

        Raises what it had ended by before.
        """
        return self._scrubbing.stop()

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
            # What left the block is not hidden.
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<dalsegno.Scrubbing{'' if self.running else ' (stopped)'}>"
