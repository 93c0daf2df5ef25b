"""What is done to a player's sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, final

from .._dalsegno import SonoraPlayer
from ._text import write

__all__ = ["Filters"]


@final
class Filters(Mapping[str, Any]):
    """The filters of a player that are on, by name, with their parameters; of a preset, nothing.

    They are changed by awaited calls, which return once the node has them.
    """

    def __init__(self, player: SonoraPlayer) -> None:
        self._player = player

    @property
    def active(self) -> list[str]:
        """The names of the presets and filters that are on."""
        return self._player.filters[0]

    @property
    def active_filters(self) -> list[str]:
        """As `active`: its name in snapshots."""
        return self.active

    def to_payload(self) -> dict[str, Any]:
        """All filters with their parameters, as a node takes them."""
        return self._player.filters[1]

    def __getitem__(self, name: str) -> Any:
        active, config = self._player.filters
        if name not in active:
            raise KeyError(name)
        return config.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.active)

    def __len__(self) -> int:
        return len(self.active)

    async def set(self, name: str, parameters: object) -> None:
        """Sets a filter of Lavalink's, such as `timescale` with `{"speed": 1.2}`."""
        await self._player.change_filter("set", name, write(parameters, "the filter"))

    async def preset(self, name: str) -> None:
        """Turns a preset on, such as `nightcore` or `bassboost`."""
        await self._player.change_filter("preset", name, b"")

    async def remove(self, name: str) -> None:
        """Takes a filter or a preset away."""
        await self._player.change_filter("remove", name, b"")

    async def clear(self) -> None:
        """Takes all filters away."""
        await self._player.change_filter("clear", "", b"")

    def __repr__(self) -> str:
        return f"Filters({dict(self)!r})"
