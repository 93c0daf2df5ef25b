"""Snapshots out to a file, and in again."""

from __future__ import annotations

from ..results import Imported
from .base import StrPath, Verbs

__all__ = ["Transferring"]


class Transferring(Verbs):
    """Verbs that export and import."""

    __slots__ = ()

    def export(self, path: StrPath, *, session: str | None = None) -> int:
        """Writes the snapshots of a session, or of all, to a file as one JSON object. Gives how many.

        The file is only for its owner, and written whole or not at all.
        """
        return self._handle.export(path, session)

    def import_(self, source: StrPath | bytes) -> Imported:
        """Adds the snapshots of an export: a file's path, or its bytes. Those that are there are passed over."""
        if isinstance(source, bytes):
            return self._handle.import_text(source)
        return self._handle.import_file(source)
