"""A track: what it is, and what a node plays it by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ._text import members, read, write

__all__ = ["Track"]


@final
class Track:
    """A track. Whatever its info does not say is empty: no property raises."""

    __slots__ = ("info", "track")

    def __init__(self, track: str = "", info: Mapping[str, Any] | None = None) -> None:
        """`track` is the encoded text of the node; where that cannot be played, it is found again by uri or identifier."""
        self.track = track
        self.info: dict[str, Any] = dict(info or {})

    @classmethod
    def _read(cls, text: bytes) -> Track:
        return cls._of(read(text))

    @classmethod
    def _of(cls, stored: Mapping[str, Any]) -> Track:
        info = dict(stored)
        encoded = info.pop("track", "")
        return cls(encoded if isinstance(encoded, str) else "", info)

    def to_dict(self) -> dict[str, Any]:
        """As a snapshot has it: its info, and beside that `track`."""
        known = {key: value for key, value in self.info.items() if key not in ("track", "encoded")}
        return {**known, "track": self.track}

    def _write(self) -> bytes:
        return write(self.to_dict(), "the track")

    def _text(self, key: str) -> str:
        value = self.info.get(key)
        return value if isinstance(value, str) else ""

    def _number(self, key: str) -> int:
        value = self.info.get(key)
        return int(value) if isinstance(value, (int, float)) else 0

    @property
    def encoded(self) -> str:
        """What a node plays it by: `track` by its newer name."""
        return self.track

    @property
    def title(self) -> str:
        """Its title."""
        return self._text("title")

    @property
    def author(self) -> str:
        """Who made it."""
        return self._text("author")

    @property
    def identifier(self) -> str:
        """What its source calls it."""
        return self._text("identifier")

    @property
    def uri(self) -> str | None:
        """Where it is to be found."""
        return self._text("uri") or None

    @property
    def length(self) -> int:
        """How long it is, in milliseconds."""
        return self._number("length")

    @property
    def position(self) -> int:
        """Where it begins, in milliseconds; of a snapshot's current track, where it was."""
        return self._number("position")

    @property
    def is_stream(self) -> bool:
        """Whether it has no end."""
        return bool(self.info.get("isStream", False))

    @property
    def is_seekable(self) -> bool:
        """Whether it can be played from another place than its beginning."""
        return bool(self.info.get("isSeekable", not self.is_stream))

    @property
    def source_name(self) -> str | None:
        """Which source it is of, such as `youtube`."""
        return self._text("sourceName") or None

    @property
    def artwork_url(self) -> str | None:
        """A picture for it."""
        return self._text("artworkUrl") or None

    @property
    def isrc(self) -> str | None:
        """Its international code."""
        return self._text("isrc") or None

    @property
    def user_data(self) -> dict[str, Any]:
        """What the bot attached to it, such as who asked for it."""
        return members(self.info.get("userData"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Track) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.identifier, self.track))

    def __repr__(self) -> str:
        return f"Track({self.title or self.identifier or self.track!r})"
