"""Deleting old snapshots by rules."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Literal, overload

from ..asked import Asked, Duration
from ..errors import InvalidInputError
from ..results import Cleaned, CleanupPlan, Kind, Policy
from .base import Verbs, Words, to_words

__all__ = ["CleaningUp"]


def to_rules(
    older_than: Duration | None,
    keep_last: int | None,
    keep_hourly: int | None,
    keep_daily: int | None,
    keep_weekly: int | None,
    keep_monthly: int | None,
    kind: Words | None,
    tag: Words | None,
    keep_nothing: bool,
) -> Asked | None:
    """The rules that are asked for; None where none are."""
    asked: Asked = {
        "older_than": older_than,
        "keep_last": keep_last,
        "keep_hourly": keep_hourly,
        "keep_daily": keep_daily,
        "keep_weekly": keep_weekly,
        "keep_monthly": keep_monthly,
        "kinds": to_words(kind),
        "tags": to_words(tag),
        "keep_nothing": keep_nothing,
    }
    unasked = (None, False)
    # 0 is asked for, though it equals False.
    some = any(
        not any(value is none for none in unasked) and value != [] for value in asked.values()
    )
    return asked if some else None


class CleaningUp(Verbs):
    """Verbs of retention."""

    __slots__ = ()

    @overload
    def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: Literal[False] = False,
    ) -> Cleaned: ...

    @overload
    def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: Literal[True],
    ) -> CleanupPlan: ...

    @overload
    def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: bool,
    ) -> CleanupPlan | Cleaned: ...

    def cleanup(
        self,
        session: str | None = None,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
        purge: bool = False,
        dry_run: bool = False,
    ) -> CleanupPlan | Cleaned:
        """Deletes old snapshots by rules; without, each session's by the policy that is stored for it.

        What one of the keep rules keeps stays, and what is younger than `older_than`; all else goes to the trash for
        `grace`, or with `purge` at once. Pinned snapshots stay, and the newest state unless `keep_nothing`. With `dry_run`, the
        plan, with the reason for each snapshot.
        """
        rules = to_rules(
            older_than,
            keep_last,
            keep_hourly,
            keep_daily,
            keep_weekly,
            keep_monthly,
            kind,
            tag,
            keep_nothing,
        )
        return self._handle.cleanup(session, rules, grace, purge, dry_run)

    def policies(self) -> builtins.list[Policy]:
        """The stored policies, in the order in which they were made."""
        return self._handle.policies()

    def set_policy(
        self,
        pattern: str,
        *,
        older_than: Duration | None = None,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        keep_nothing: bool = False,
        grace: Duration | None = None,
    ) -> None:
        """Keeps rules for the sessions of a pattern, such as `bot/*`, in the place of those it had."""
        rules = to_rules(
            older_than,
            keep_last,
            keep_hourly,
            keep_daily,
            keep_weekly,
            keep_monthly,
            kind,
            tag,
            keep_nothing,
        )
        if rules is None:
            raise InvalidInputError(f"the policy for '{pattern}' has no rules: say what to keep")
        self._handle.set_policy(pattern, rules, grace)

    def remove_policy(self, pattern: str) -> None:
        """Removes the policy of that pattern."""
        self._handle.remove_policy(pattern)
