"""Who may do what."""

from __future__ import annotations

import builtins

from ..results import Principal
from .base import Verbs, Words, to_words

__all__ = ["Admitting"]


class Admitting(Verbs):
    """Verbs of access control."""

    __slots__ = ()

    def principals(self) -> builtins.list[Principal]:
        """Who may do what, in the order in which they were added; empty where everybody may do everything."""
        return self._handle.principals()

    def add_principal(self, name: str, rules: Words) -> str:
        """Adds somebody, and gives the token, which is told this once: see `open`.

        A rule is permissions and the sessions they are for: `create,restore=bot/*`, `read=**`, `all=**`. Permissions are
        `create`, `read`, `restore`, `delete` and `admin`; each of the others includes `read`. What no rule allows is denied.

        From the first one on, the store asks everybody for a token; so the first must be allowed `all=**`, and this engine,
        where it was opened without, may do nothing more. `ConflictError` where there is one of that name, `InvalidInputError`
        where a rule makes no sense.
        """
        return self._handle.add_principal(name, to_words(rules))

    def set_rules(self, name: str, rules: Words) -> None:
        """Gives somebody other rules, in the place of all that there were.

        `ConflictError` where nobody would be left to say who may do what.
        """
        self._handle.set_rules(name, to_words(rules))

    def new_token(self, name: str) -> str:
        """Gives somebody another token, which is told this once; the one before is of no use any more."""
        return self._handle.new_token(name)

    def remove_principal(self, name: str) -> None:
        """Removes somebody. Without the last one, everybody may do everything again."""
        self._handle.remove_principal(name)

    def reset_access(self) -> int:
        """Removes all of them, for one who has lost the token that rules them, and says how many there were.

        It takes no permission: whoever can write the file could do it by other means. It stands in the audit log.
        """
        return self._handle.reset_access()

    def has_principals(self) -> bool:
        """Whether the store asks who somebody is."""
        return self._handle.has_principals()
