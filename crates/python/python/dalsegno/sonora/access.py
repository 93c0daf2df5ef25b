"""Who may take, load and delete the snapshots of a player."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Iterable
from contextvars import ContextVar
from typing import Literal, NoReturn, TypeAlias

from .._dalsegno import SonoraCore
from .._threads import threads
from .errors import InvalidInputError, PermissionDeniedError

__all__ = ["Access", "User", "acting_as", "id_of"]

logger = logging.getLogger("dalsegno.sonora")

User: TypeAlias = str | int
"""The id of somebody: a text or a number, which are the same where they read the same."""

Action: TypeAlias = Literal["save", "restore", "delete"]

DEEDS: dict[Action, str] = {
    "save": "take a snapshot",
    "restore": "load a snapshot",
    "delete": "delete snapshots",
}
"""What is asked for, as the audit log calls it, and in words."""

_acting: ContextVar[User | None] = ContextVar("acting", default=None)


@contextlib.contextmanager
def acting_as(user: User | None) -> Generator[None]:
    """Within this block, and in tasks that it begins, `user` is who acts, where a call does not say `user=` itself."""
    token = _acting.set(user)
    try:
        yield
    finally:
        _acting.reset(token)


class Access:
    """Who may take, load and delete the snapshots of a player; everybody, unless it is told otherwise."""

    __slots__ = ("_allowed", "_core", "_guild_id", "require_permission")

    def __init__(self, core: SonoraCore, guild_id: int) -> None:
        self._core = core
        self._guild_id = guild_id
        self._allowed: list[User] = []
        self.require_permission = False
        """Whether only `allowed_users` may take, load and delete snapshots. Those of a timer are taken all the same."""

    @property
    def allowed_users(self) -> list[User]:
        """The ids of those who may; compared as text."""
        return self._allowed

    @allowed_users.setter
    def allowed_users(self, users: User | Iterable[User]) -> None:
        # A text is one id, and not its letters.
        given = [users] if isinstance(users, str | int) else list(users)
        for user in given:
            if id_of(user) is None:
                kind = type(user).__name__
                raise InvalidInputError(f"an allowed user is an id, text or a number, not a {kind}")
        self._allowed = given

    async def _permit(self, action: Action, user: User | None) -> User | None:
        """Every verb asks here before it does anything; answers who acts."""
        # A denial is written into the store.
        return await threads.run(self._permit_now, action, user)

    def _permit_now(self, action: Action, user: User | None) -> User | None:
        acts = _acting.get() if user is None else user
        if not self.require_permission:
            return acts
        who = id_of(acts)
        if acts is None:
            self._deny(action, who, "somebody unknown", "say who acts by user= or acting_as(user)")
        if who is None:
            kind = type(acts).__name__
            shown = f"a {kind}, which is no id,"
            self._deny(action, who, shown, "give the id as text or a number")
        if who not in map(id_of, self._allowed):
            way = (
                "add the id to player.snapshots.allowed_users, or leave it to somebody who is in it"
            )
            self._deny(action, who, f"user {who}", way)
        return acts

    def _deny(self, action: Action, who: str | None, shown: str, way: str) -> NoReturn:
        """Every denial is made here."""
        guild, deed = self._guild_id, DEEDS[action]
        logger.warning("guild %s: %s may not %s", guild, shown, deed)
        if self._core.running:
            try:
                self._core.denied(guild, action, who or "somebody unknown")
            except Exception:
                # It is denied all the same.
                logger.exception("guild %s: the audit log could not be told of a denial", guild)
        raise PermissionDeniedError(
            f"{shown} may not {deed} of the player of guild {guild}; nothing was done: {way}"
        )


def id_of(user: object) -> str | None:
    """An id as text. Of other objects the text may be a name, which anybody can choose."""
    is_id = isinstance(user, str | int) and not isinstance(user, bool)
    return (str(user) or None) if is_id else None
