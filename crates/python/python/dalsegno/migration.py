"""How older states of a program's documents become the current shape."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ._dalsegno import Text
from .state import from_text, to_text

__all__ = ["Migration"]


@dataclass(frozen=True)
class Migration:
    """A step from one version of a schema to the next. `dalsegno.open` is given all steps of a program.

    `step` is called with a state of the version `from_version`, as `json.loads` has it, and gives the state in the shape
    of `to_version`: it may change what it was given and return that. It may be called for any state, any number of times
    and in any thread, so it decides by the state alone. Whatever it raises is the cause of the `InvalidInputError` that its
    caller gets.
    """

    from_version: str | None
    """The schema version that it starts from; None: that of snapshots which carry none."""
    to_version: str
    """The schema version that it leads to."""
    step: Callable[[Any], Any]
    """The function from one shape to the next."""
    sessions: str = "**"
    """A pattern of the sessions that it is for: all by default. Of several patterns that match, the most specific holds."""


def given(
    migrations: Iterable[Migration],
) -> list[tuple[str | None, str, str, Callable[[bytes], Text | bytes]]]:
    """The steps as the store takes them."""
    return [
        (it.from_version, it.to_version, it.sessions, functools.partial(_run, it.step))
        for it in migrations
    ]


def _run(step: Callable[[Any], Any], text: bytes) -> Text | bytes:
    return to_text(step(from_text(text)))
