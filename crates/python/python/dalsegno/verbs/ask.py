"""Asking the program that has a session open, attending to what others ask for, and handing sessions over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..attending import (
    Asked,
    Attendant,
    Attending,
    Calls,
    Failed,
    Freeze,
    Load,
    Unfreeze,
)
from ..attending import HandedOver as TellHandedOver
from ..errors import ConflictError
from ..results import Answer, HandedOver
from ..state import from_text, to_text
from .base import Verbs

__all__ = ["Asking", "Withdrawn"]

Withdrawn = Callable[[], bool]
"""Says whether nobody waits any longer."""


class Asking(Verbs):
    """Requests, and handovers."""

    __slots__ = ()

    def ask(
        self,
        session: str,
        verb: str,
        arguments: object = None,
        *,
        state: object = None,
        timeout: float = 30.0,
        default: Callable[[Any], Any] | None = None,
    ) -> Answer:
        """Asks the program that has `session` open for something, and waits for the answer, `timeout` seconds at most.

        Every program that attends carries these out; anything else is for it to answer. Where no program has the session open,
        they are done here.

        - `save`: `state`, with `name`, `label`, `description`, `tags`, `metadata`, `turn`, `schema_version`, `intent`, `pinned`
          and `kind` as arguments
        - `rollback`: `steps` (1), or `to`: a reference
        - `undo`, `redo`
        - `restore`: `from`: a reference; `components`: only these
        - `guard_restore`: `from`: a reference, or nothing

        It is done once or not at all, also where the other program ends in the middle. What that one says against it is raised.
        `LockedError` where it attends to nothing, or did not take the request in time: nothing was changed. `ConflictError` where it
        took it and did not answer in time. `NotFoundError` where nobody has the session open who could answer. Ctrl-C withdraws the
        request, if it was not taken; a note of the `KeyboardInterrupt` says which.
        """
        return ask(self, Question(session, verb, arguments, state, timeout, default), None)

    def attend(
        self,
        attendant: Attendant | None = None,
        *,
        asked: Asked | None = None,
        load: Load | None = None,
        failed: Failed | None = None,
        freeze: Freeze | None = None,
        unfreeze: Unfreeze | None = None,
        handed_over: TellHandedOver | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> Attending:
        """Begins to attend to what other programs ask for (`ask`, `take_handover`, the command's `--ask`) of the sessions that
        this engine has open, or will have.

        `attendant` is an object with the methods of `Attendant`, or some of them; each may also be given by itself. They are
        called in a thread of their own, one at a time: take the program's own lock there, where it has one. What they raise is
        told to whoever asks. `default` is for answers, as in `save`.

        `with engine.attend(load=…):` stops at the end of the block. `ConflictError` where this engine attends already.
        """
        calls = Calls(attendant, asked, load, failed, freeze, unfreeze, handed_over, default)
        return Attending(self, calls)

    def take_handover(
        self,
        session: str,
        *,
        timeout: float = 30.0,
        check: Callable[[Any], object] | None = None,
    ) -> HandedOver:
        """Goes on with a session in the place of the program that has it open, with its consent and without a gap.

        That one freezes, its last state is saved, and the session is open here. Its newest state (None where it has none) is proved
        and given to `check`; what that raises is raised here, and the session goes back, as it does where `check` gives False.
        All of it takes `timeout` seconds at most. If this program ends before that, the other one goes on. Where no program has the
        session open, it is opened, and recovered if need be. `close_session` closes it.

        `LockedError` where the other program attends to nothing, or does not hand it over in time; `ConflictError` where this
        one took too long; what the other one says where it does not hand it over.
        """
        return take_handover(self, session, timeout, check, None)


class Question:
    """What is asked for. Arguments and state are taken when it is made."""

    def __init__(
        self,
        session: str,
        verb: str,
        arguments: object,
        state: object,
        timeout: float,
        default: Callable[[Any], Any] | None,
    ) -> None:
        self.session = session
        self.verb = verb
        self.arguments = None if arguments is None else to_text(arguments, default)
        self.state = None if state is None else to_text(state, default)
        self.timeout = timeout


def ask(engine: Verbs, question: Question, withdrawn: Withdrawn | None) -> Answer:
    """`Asking.ask`, until `withdrawn` says that nobody waits any longer."""
    it = question
    return engine._handle.ask(it.session, it.verb, it.arguments, it.state, it.timeout, withdrawn)


def take_handover(
    engine: Verbs,
    session: str,
    timeout: float,
    check: Callable[[Any], object] | None,
    withdrawn: Withdrawn | None,
) -> HandedOver:
    """`Asking.take_handover`, until `withdrawn` says that nobody waits any longer."""

    def look(text: bytes | None) -> None:
        state = None if text is None else from_text(text)
        if check is not None and check(state) is False:
            raise ConflictError(f"the newest state of {session} was not accepted")

    return engine._handle.take_handover(session, timeout, look, withdrawn)
