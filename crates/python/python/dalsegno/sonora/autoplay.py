"""What plays when nothing is left in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from .._dalsegno import SonoraPlayer
from ._text import write

__all__ = ["Autoplay"]


@final
class Autoplay:
    """How autoplay goes about it; it acts in the loop mode `autoplay`, where the client has a provider."""

    def __init__(self, player: SonoraPlayer) -> None:
        self._player = player

    def configure(self, config: Mapping[str, Any]) -> None:
        """Changes the settings that `config` has, all or none."""
        self._player.configure_autoplay(write(dict(config), "the settings of autoplay"))

    @property
    def enabled(self) -> bool:
        """Whether it acts at all."""
        return bool(self._player.autoplay["enabled"])

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self.configure({"enabled": enabled})

    @property
    def strategy(self) -> str:
        """`similar_artist`, `similar_genre`, `popularity`, `random` or `smart`."""
        return str(self._player.autoplay["strategy"])

    @strategy.setter
    def strategy(self, strategy: str) -> None:
        self.configure({"strategy": strategy})

    @property
    def fallback_playlist(self) -> str:
        """The playlist to choose from where the strategy finds nothing; empty for none."""
        return str(self._player.autoplay["fallback_playlist"])

    @fallback_playlist.setter
    def fallback_playlist(self, name: str) -> None:
        self.configure({"fallback_playlist": name})

    @property
    def max_history(self) -> int:
        """How many tracks of the history are not to be heard again."""
        return int(self._player.autoplay["max_history"])

    @max_history.setter
    def max_history(self, count: int) -> None:
        self.configure({"max_history": count})

    @property
    def smart_shuffle(self) -> bool:
        """Whether tracks heard lately go last when the queue is shuffled."""
        return bool(self._player.autoplay["smart_shuffle"])

    @smart_shuffle.setter
    def smart_shuffle(self, enabled: bool) -> None:
        self.configure({"smart_shuffle": enabled})

    def __repr__(self) -> str:
        return f"Autoplay({self._player.autoplay!r})"
