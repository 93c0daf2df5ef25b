"""Saving by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..asked import Keep
from ..autosave import AutoSaver, Every, How
from .base import Verbs

__all__ = ["SavingItself"]


class SavingItself(Verbs):
    """The verb that begins to save sessions by themselves."""

    __slots__ = ()

    def auto_save(
        self,
        *,
        every: Every = 30.0,
        jitter: float = 0.0,
        min_change: int = 1,
        keep: Keep | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> AutoSaver:
        """Begins to save sessions by themselves: `register` each with what gives its state.

        Each is saved once in `every` (seconds, a `timedelta`, or text such as `5 min`), longer or shorter by chance by up to the
        part `jitter` of it (0 to 1), once what changed would take `min_change` bytes in the store: with 1, a state that did not
        change leaves nothing behind. Sessions that are due at the same time share one commit. `keep` says which automatic snapshots
        stay, such as `{"keep_last": 100, "keep_daily": 30}`; without, all do.

        `with engine.auto_save(every=1.0) as saver:` saves all of them for the last time at the end of the block.
        """
        return AutoSaver(self, How(every, jitter, min_change, None, keep, default))
