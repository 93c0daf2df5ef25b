"""What was done, by whom."""

from __future__ import annotations

from collections.abc import Iterable

from ..results import Action, AuditCheck, AuditPage, Outcome
from .base import Time, Verbs, to_time, to_words

__all__ = ["Auditing"]


class Auditing(Verbs):
    """Verbs of the audit log."""

    __slots__ = ()

    def audit_on(self) -> None:
        """Begins the audit log, or goes on with it: whatever changes the store stands in it from then on, and what is denied.

        `ConflictError` where it is on already.
        """
        self._handle.audit_on()

    def audit_off(self) -> None:
        """Ends it. What stands in it stays. `ConflictError` where it is off already."""
        self._handle.audit_off()

    def is_audited(self) -> bool:
        """Whether the audit log is on."""
        return self._handle.is_audited()

    def audit_log(
        self,
        *,
        session: str | None = None,
        who: str | None = None,
        actions: Action | Iterable[Action] | None = None,
        outcome: Outcome | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
    ) -> AuditPage:
        """What stands in the audit log, the newest first, and beside it what of it cannot be read.

        Of a `session`, also one that is gone; of what somebody did, or a program did for somebody (`who`); of some `actions`
        (any of them); with an `outcome`; from `since` on, before `until`; at most `limit`, the newest.
        """
        return self._handle.audit_log(
            session=session,
            who=who,
            actions=to_words(actions),
            outcome=outcome,
            since=to_time(since),
            until=to_time(until),
            limit=limit,
        )

    def audit_head(self) -> str:
        """The end of the audit log, to be kept where nobody who can write the store can change it: see `audit_check`.

        `NotFoundError` where there is no log.
        """
        return self._handle.audit_head()

    def audit_check(self, head: str | None = None) -> AuditCheck:
        """Proves that no row of the audit log was changed, taken out, put in or moved: `broken` names the first that was.

        With a `head` that was kept, also that nothing was cut off its end since, and that it was not written anew.
        """
        return self._handle.audit_check(head)
