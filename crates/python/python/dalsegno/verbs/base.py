"""What all verbs stand on, and the forms in which their arguments are given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from os import PathLike
from typing import TypeAlias

from .. import _dalsegno
from ..results import Snapshot

__all__ = ["Ref", "StrPath", "Time", "Verbs", "Words", "to_ref", "to_time", "to_words"]

StrPath: TypeAlias = str | PathLike[str]
"""A path: a `str` or a `pathlib.Path`."""

Ref: TypeAlias = str | Snapshot
"""A snapshot: its id or the beginning of it, its name, `SESSION@latest`, `SESSION@-2`, `SESSION@turn:42`,
`SESSION@2026-11-20T10:00`, `SESSION@NAME`, or what `save`, `info` or `list` gave."""

Time: TypeAlias = datetime | timedelta | str
"""A time: a `datetime` (local where it has no zone), a `timedelta` before now, or text: `2026-11-20T21:30`, or `24h`
for so long ago."""

Words: TypeAlias = str | Iterable[str]
"""One word, or several."""


def to_ref(reference: Ref) -> str:
    return reference if isinstance(reference, str) else reference["id"]


def to_time(time: Time | None) -> Time | None:
    # What has no zone is local, as everywhere in Python.
    return time.astimezone() if isinstance(time, datetime) and time.tzinfo is None else time


def to_words(words: Words | None) -> list[str]:
    if words is None:
        return []
    return [words] if isinstance(words, str) else list(words)


class Verbs:
    """What an engine can do, a part of it."""

    __slots__ = ("__weakref__", "_handle")

    def __init__(self, handle: _dalsegno.Handle) -> None:
        self._handle = handle
