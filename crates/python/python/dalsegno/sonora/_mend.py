"""What a repair of the store made of one snapshot."""

from __future__ import annotations

from ..results import Repairs

__all__ = ["shortfall"]


def shortfall(repairs: Repairs, guild_id: int, id: str) -> str | None:
    """What of a snapshot is not as it was taken, after a repair of its store; nothing where it was not repaired, or wholly."""
    for session in repairs["sessions"]:
        if session["session"].rsplit("/", 1)[-1] != str(guild_id):
            continue
        if session["held"] is not None:
            return f"it was left alone, because {session['held']} has its session open"
        for lost in session["lost"]:
            if lost["snapshot"] == id:
                return lost["why"]
        for snapshot in session["snapshots"]:
            if snapshot["snapshot"] == id:
                return _shown(snapshot["how"], snapshot.get("metadata", False))
    return None


def _shown(how: str, metadata: bool) -> str | None:
    if how == "salvaged":
        return "its state is lost, and it has what the snapshots beside it have"
    if how == "metadata_lost":
        return "its name and what else was said of it are lost, its state is not"
    if how == "from_source" and metadata:
        return "it is back as the source has it; what was said of it since is lost"
    return None
