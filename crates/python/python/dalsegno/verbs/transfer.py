"""Snapshots out to a file, and in again."""

from __future__ import annotations

from ..results import Imported
from .base import StrPath, Verbs, Words, to_words

__all__ = ["Transferring"]


class Transferring(Verbs):
    """Verbs that export and import."""

    __slots__ = ()

    def export(
        self,
        path: StrPath,
        *,
        session: str | None = None,
        recipients: Words | None = None,
        passphrase: str | None = None,
    ) -> int:
        """Writes the snapshots of a session, or of all, to a file as one JSON object. Gives how many.

        The file is only for its owner, and written whole or not at all. With `recipients` (`age1…`, one or several) or a
        `passphrase` it is a standard age file, which only these open; with a passphrase that takes about a second.
        """
        return self._handle.export(path, session, _all(recipients), passphrase)

    def import_(
        self,
        source: StrPath | bytes,
        *,
        identities: Words | None = None,
        passphrase: str | None = None,
    ) -> Imported:
        """Adds the snapshots of an export: a file's path, or its bytes. Those that are there are passed over.

        One that is sealed is opened with `identities`, texts `AGE-SECRET-KEY-1…` or that of a file as `age-keygen` writes
        it, or with its `passphrase`. `WrongKeyError` where they do not open it, or none was given.
        """
        if isinstance(source, bytes):
            return self._handle.import_text(source, _all(identities), passphrase)
        return self._handle.import_file(source, _all(identities), passphrase)


def _all(words: Words | None) -> list[str] | None:
    # None of them is not the same as none given: it is refused.
    return None if words is None else to_words(words)
