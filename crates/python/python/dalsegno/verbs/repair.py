"""Looking for damage, and repairing it."""

from __future__ import annotations

from collections.abc import Iterable

from ..results import Repairs
from ..scrubbing import RATE, Scrubbing
from .base import StrPath, Verbs

__all__ = ["Repairing"]


class Repairing(Verbs):
    """Verbs that look for damage, and repair."""

    __slots__ = ()

    def repair(self, sources: Iterable[StrPath] = (), *, dry_run: bool = False) -> Repairs:
        """Repairs what is damaged, as far as it can be: from `sources`, else from what is around it; then the snapshot is marked
        (`repaired`). What is lost is named in the answer.

        A source is a backup of this store, a folder of which the newest backup is taken, or a copy of the store, which is only
        read: in order of preference. What opens this store opens them.

        Sessions that another program has open are left alone, and named. With `dry_run` nothing is changed. Raises
        `DamagedError` where the structure of the file is: `dalsegno.rebuild` builds it anew; `InvalidInputError` where a
        source is another store.
        """
        return self._handle.repair(list(sources), dry_run)

    def scrub(self, *, rate: int = RATE, once: bool = False) -> Scrubbing:
        """Begins to prove the whole store, as `verify` does, but slowly and round after round: at most `rate` bytes in a second,
        0 as fast as it goes, one session at a time, so that nobody waits for it. With `once`, one round.

        What is damaged is told when it is found, once: a `corruption_detected` event, and in `progress()`.

        `with engine.scrub() as scrubbing:` proves as long as the block runs; `engine.scrub(rate=0, once=True).wait()` is one round.
        Raises `AccessDeniedError` where the whole store may not be read.
        """
        return Scrubbing(self, rate, once)
