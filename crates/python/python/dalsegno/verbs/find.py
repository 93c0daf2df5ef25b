"""Finding snapshots without reading them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from typing import final

from .. import _dalsegno
from ..errors import DamagedError
from ..results import Kind, Page, Snapshot, Sort
from .base import Ref, Time, Verbs, Words, to_ref, to_time, to_words

__all__ = ["PAGE", "Finding"]

PAGE = 500
"""How many snapshots `list` asks the store for at once."""


class Finding(Verbs):
    """Verbs that find snapshots."""

    __slots__ = ()

    def sessions(self) -> builtins.list[str]:
        """The names of all sessions, sorted."""
        return self._handle.sessions()

    def list(
        self,
        session: str | None = None,
        *,
        since: Time | None = None,
        until: Time | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        name: str | None = None,
        sort: Sort = "commit",
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[Snapshot]:
        """The snapshots of a session or of all, the newest first, as they are asked for.

        `since` and `until` include the moment they name; `kind` is one or several, of tags all are needed. Content is
        never read. Where rows are damaged, all others come first, and then `DamagedError` names them.
        """
        pages = _Pages(
            self._handle,
            session,
            to_time(since),
            to_time(until),
            to_words(kind),
            to_words(tag),
            name,
            sort,
            reverse,
        )
        # So that a wrong session or filter is told here, not where the first snapshot is asked for.
        first = pages.page(PAGE if limit is None else min(limit, PAGE), None)
        return pages.all(first, limit)

    def page(
        self,
        session: str | None = None,
        *,
        since: Time | None = None,
        until: Time | None = None,
        kind: Kind | Iterable[Kind] | None = None,
        tag: Words | None = None,
        name: str | None = None,
        sort: Sort = "commit",
        reverse: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """A page of `list`. Its `next` is the `cursor` of the page after it, also while snapshots are added."""
        pages = _Pages(
            self._handle,
            session,
            to_time(since),
            to_time(until),
            to_words(kind),
            to_words(tag),
            name,
            sort,
            reverse,
        )
        return pages.page(limit, cursor)

    def info(self, ref: Ref) -> Snapshot:
        """What is known of a snapshot without reading its content."""
        return self._handle.info(to_ref(ref))


@final
class _Pages:
    """A listing that is asked for."""

    def __init__(
        self,
        handle: _dalsegno.Handle,
        session: str | None,
        since: Time | None,
        until: Time | None,
        kind: list[str],
        tags: list[str],
        name: str | None,
        sort: str,
        reverse: bool,
    ) -> None:
        self.handle = handle
        self.session = session
        self.since = since
        self.until = until
        self.kind = kind
        self.tags = tags
        self.name = name
        self.sort = sort
        self.reverse = reverse

    def page(self, limit: int, cursor: str | None) -> Page:
        return self.handle.page(
            self.session,
            since=self.since,
            until=self.until,
            kind=self.kind,
            tags=self.tags,
            name=self.name,
            sort=self.sort,
            reverse=self.reverse,
            limit=limit,
            cursor=cursor,
        )

    def all(self, page: Page, limit: int | None) -> Iterator[Snapshot]:
        damaged: list[str] = []
        left = limit
        while True:
            yield from page["snapshots"]
            damaged += page["damaged"]
            if left is not None:
                left -= len(page["snapshots"])
            if page["next"] is None or left == 0:
                break
            page = self.page(PAGE if left is None else min(left, PAGE), page["next"])
        if damaged:
            raise DamagedError(
                f"the rows of these snapshots are damaged: {', '.join(damaged)}; run verify"
            )
