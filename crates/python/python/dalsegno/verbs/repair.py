"""Repairing what is damaged."""

from __future__ import annotations

from collections.abc import Iterable

from ..results import Repairs
from .base import StrPath, Verbs

__all__ = ["Repairing"]


class Repairing(Verbs):
    """Verbs that repair."""

    __slots__ = ()

    def repair(self, sources: Iterable[StrPath] = (), *, dry_run: bool = False) -> Repairs:
        """Repairs what is damaged, as far as it can be: from `sources`, copies of this store in order of preference, else
        from what is around it; then the snapshot is marked (`repaired`). What is lost is named in the answer.

        Sessions that another program has open are left alone, and named. With `dry_run` nothing is changed. Raises
        `DamagedError` where the structure of the file is: `dalsegno.rebuild` builds it anew; `InvalidInputError` where a
        source is another store.
        """
        return self._handle.repair(list(sources), dry_run)
