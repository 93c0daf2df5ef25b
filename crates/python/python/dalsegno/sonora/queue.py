"""The queue of a player: what plays next, and what played before."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from typing import final, overload

from .._dalsegno import SonoraPlayer
from ._text import read
from .errors import NotFoundError
from .track import Track

__all__ = ["Queue", "TrackList"]


class TrackView(Sequence[Track]):
    """Tracks as they are at the moment they are looked at."""

    def __init__(self, player: SonoraPlayer, history: bool) -> None:
        self._player = player
        self._history = history

    def _all(self) -> list[Track]:
        return [Track._of(stored) for stored in read(self._player.list_all(self._history))]

    def __len__(self) -> int:
        return self._player.list_len(self._history)

    @overload
    def __getitem__(self, index: int) -> Track: ...
    @overload
    def __getitem__(self, index: slice) -> list[Track]: ...
    def __getitem__(self, index: int | slice) -> Track | list[Track]:
        if isinstance(index, slice):
            return self._all()[index]
        text = self._player.list_get(self._history, self._place(index))
        if text is None:
            raise IndexError("no track has that place")
        return Track._read(text)

    def __iter__(self) -> Iterator[Track]:
        # All as of now, so that nobody minds what comes and goes meanwhile.
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == list(other)  # pyright: ignore[reportUnknownArgumentType]

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore

    def __repr__(self) -> str:
        return repr(self._all())

    def _place(self, index: int) -> int:
        place = index + len(self) if index < 0 else index
        if place < 0 or place >= len(self):
            raise IndexError("no track has that place")
        return place


@final
class TrackList(TrackView, MutableSequence[Track]):
    """The upcoming tracks or the history, to be changed in place."""

    @overload
    def __setitem__(self, index: int, value: Track) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Track]) -> None: ...
    def __setitem__(self, index: int | slice, value: Track | Iterable[Track]) -> None:
        if isinstance(index, slice):
            tracks = self._all()
            tracks[index] = value  # type: ignore[assignment]
            self._player.list_assign(self._history, [track._write() for track in tracks])
        elif isinstance(value, Track):
            self._player.list_set(self._history, self._place(index), value._write())
        else:
            raise TypeError("a list of tracks holds tracks")

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            self[index] = ()
        else:
            self._player.list_remove(self._history, self._place(index))

    def insert(self, index: int, value: Track) -> None:
        """Puts a track before the one at `index`."""
        size = len(self)
        place = max(0, index + size) if index < 0 else min(index, size)
        self._player.list_insert(self._history, place, value._write())

    def clear(self) -> None:
        """Drops all tracks; the guard of lists is told that it is meant."""
        self._player.list_clear(self._history)


@final
class Queue:
    """What a player plays, will play, and has played."""

    def __init__(self, player: SonoraPlayer) -> None:
        self._player = player
        self._upcoming = TrackList(player, False)
        self._history = TrackList(player, True)

    @property
    def current(self) -> Track | None:
        """What plays now."""
        text = self._player.current
        return None if text is None else Track._read(text)

    @property
    def upcoming(self) -> Sequence[Track]:
        """What plays next, in order."""
        return TrackView(self._player, False)

    @property
    def history(self) -> Sequence[Track]:
        """What played before, the latest last."""
        return TrackView(self._player, True)

    @property
    def length(self) -> int:
        """How many tracks are upcoming."""
        return len(self._upcoming)

    def __len__(self) -> int:
        return len(self._upcoming)

    def __bool__(self) -> bool:
        return True

    @property
    def is_empty(self) -> bool:
        """Whether none is upcoming."""
        return len(self._upcoming) == 0

    @property
    def loop_mode(self) -> str:
        """What happens at the end of a track: `none`, `track` (again), `queue` (round and round), `autoplay`."""
        return self._player.loop_mode

    @loop_mode.setter
    def loop_mode(self, mode: str) -> None:
        self._player.set_loop_mode(str(getattr(mode, "value", mode)))

    def set_loop_mode(self, mode: str) -> None:
        """Assigns `loop_mode`."""
        self.loop_mode = mode

    @property
    def shuffle_enabled(self) -> bool:
        """Whether whoever adds tracks wants them shuffled; only kept here."""
        return self._player.shuffle_enabled

    @shuffle_enabled.setter
    def shuffle_enabled(self, enabled: bool) -> None:
        self._player.set_shuffle_enabled(bool(enabled))

    async def add(self, track: Track, position: int | None = None) -> None:
        """Adds an upcoming track, at the end or before the one at `position`."""
        self._player.add([track._write()], position)

    async def add_multiple(self, tracks: Iterable[Track], position: int | None = None) -> int:
        """Adds upcoming tracks, all or none; how many."""
        return self._player.add([track._write() for track in tracks], position)

    async def remove(self, position: int) -> Track:
        """Takes an upcoming track out."""
        if not 0 <= position < len(self._upcoming):
            raise NotFoundError(f"no upcoming track has the place {position}")
        return Track._read(self._player.list_remove(False, position))

    async def clear(self) -> None:
        """Drops all upcoming tracks."""
        self._upcoming.clear()

    def move(self, from_position: int, to_position: int) -> None:
        """Moves an upcoming track to another place."""
        self._player.shift(from_position, to_position)

    def shuffle(self, rng: random.Random | None = None) -> None:
        """Puts the upcoming tracks into an order by chance."""
        order = list(range(len(self._upcoming)))
        (rng or random.Random()).shuffle(order)
        self._player.reorder(order)

    def __repr__(self) -> str:
        return f"Queue({len(self._upcoming)} upcoming, {self.loop_mode})"
