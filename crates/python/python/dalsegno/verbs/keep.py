"""What is said of snapshots, and the trash."""

from __future__ import annotations

import builtins

from ..asked import Duration
from ..errors import InvalidInputError
from ..results import Purged, Snapshot, Trashed
from .base import Ref, Verbs, to_ref

__all__ = ["Keeping"]


class Keeping(Verbs):
    """Verbs that change what is said of snapshots, or delete them."""

    __slots__ = ()

    def rename(self, ref: Ref, name: str | None) -> Snapshot:
        """Gives a snapshot another name, or takes its name away."""
        return self._handle.rename(to_ref(ref), name)

    def tag(self, ref: Ref, *tags: str) -> Snapshot:
        """Adds tags to a snapshot; those it has stay."""
        return self._handle.tag(to_ref(ref), list(tags))

    def untag(self, ref: Ref, *tags: str) -> Snapshot:
        """Takes tags away from a snapshot; those it does not have are passed over."""
        return self._handle.untag(to_ref(ref), list(tags))

    def pin(self, ref: Ref) -> Snapshot:
        """Pins a snapshot, so that nothing deletes it."""
        return self._handle.pin(to_ref(ref), True)

    def unpin(self, ref: Ref) -> Snapshot:
        """Unpins a snapshot."""
        return self._handle.pin(to_ref(ref), False)

    def delete(
        self, *refs: Ref, grace: Duration | None = None, dry_run: bool = False
    ) -> builtins.list[Snapshot]:
        """Moves snapshots to the trash, where they are kept for `grace`: 7 days unless given.

        Where one is pinned, `AccessDeniedError`, and nothing is deleted.
        """
        return self._handle.delete([to_ref(ref) for ref in refs], grace, dry_run)

    def undelete(self, *refs: Ref, dry_run: bool = False) -> builtins.list[Snapshot]:
        """Takes snapshots out of the trash, each to its old place in the history."""
        return self._handle.undelete([to_ref(ref) for ref in refs], dry_run)

    def trash(self, session: str | None = None) -> builtins.list[Trashed]:
        """What is in the trash, of one session or of all, in commit order."""
        return self._handle.trash(session)

    def purge(
        self,
        *snapshots: Ref,
        everything: bool = False,
        session: str | None = None,
        dry_run: bool = False,
    ) -> Purged:
        """Deletes for good what has been in the trash for its time, and gives the space back to the file system.

        With snapshots (or their whole ids), only these, whatever their time; with `everything`, all of the trash, of one
        `session` or of all.
        """
        if snapshots and (everything or session is not None):
            raise InvalidInputError("name snapshots, or ask for everything; not both")
        if session is not None and not everything:
            raise InvalidInputError("a session goes with everything=True")
        ids = [to_ref(snapshot) for snapshot in snapshots] if snapshots else None
        return self._handle.purge(ids, everything, session, dry_run)
