"""How rules of retention go down to the engine."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias, TypedDict

Duration: TypeAlias = timedelta | str
"""How long: a `timedelta`, or text: `12h`, `7d`, `2 weeks`."""


class Keep(TypedDict, total=False):
    """Which automatic snapshots of a session are kept: those of the newest `keep_last`, one an hour, a day, and so on."""

    older_than: Duration
    keep_last: int
    keep_hourly: int
    keep_daily: int
    keep_weekly: int
    keep_monthly: int


class Asked(TypedDict):
    """What is asked of a cleanup; None, no words and False where it is not."""

    older_than: Duration | None
    keep_last: int | None
    keep_hourly: int | None
    keep_daily: int | None
    keep_weekly: int | None
    keep_monthly: int | None
    kinds: list[str]
    tags: list[str]
    keep_nothing: bool
