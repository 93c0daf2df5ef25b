"""What a bot gives: voice connections, tracks for autoplay, states of plugins."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeAlias, final

from ._text import write
from .track import Track

__all__ = ["Plugin", "Provider", "Voice", "VoiceServer"]


class VoiceServer(NamedTuple):
    """A voice connection as Discord's gateway gave it: what VOICE_STATE_UPDATE and VOICE_SERVER_UPDATE say."""

    channel_id: int
    session_id: str
    token: str
    endpoint: str


Voice: TypeAlias = Callable[[int, int], Awaitable[VoiceServer]]
"""Joins a channel of a guild, and waits for what the gateway answers."""


class Provider(Protocol):
    """Where autoplay gets tracks from; the best come first. What it has not, answers an empty list."""

    async def search(self, query: str, limit: int) -> Iterable[Track]:
        """Tracks that answer to words."""
        ...

    async def popular(self, limit: int) -> Iterable[Track]:
        """Tracks that many people hear."""
        ...

    async def random(self, limit: int) -> Iterable[Track]:
        """Tracks by chance."""
        ...

    async def playlist(self, name: str, limit: int) -> Iterable[Track]:
        """Tracks of a playlist."""
        ...


class Plugin(Protocol):
    """Something of a bot that keeps a state for each guild, which is part of snapshots."""

    @property
    def name(self) -> str:
        """What it is called in snapshots."""
        ...

    @property
    def version(self) -> str:
        """The version of its states."""
        ...

    def save(self, guild_id: int) -> Any:
        """Its state of a guild, as anything that is JSON; None where it has none. Called in any thread."""
        ...

    def load(self, guild_id: int, version: str, state: Any) -> None:
        """Goes on with a state that `version` of it saved. Called in any thread."""
        ...


@final
class Provides:
    """A provider as Rust asks it: its tracks as JSON."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def search(self, query: str, limit: int) -> bytes:
        return _texts(await self._provider.search(query, limit))

    async def popular(self, limit: int) -> bytes:
        return _texts(await self._provider.popular(limit))

    async def random(self, limit: int) -> bytes:
        return _texts(await self._provider.random(limit))

    async def playlist(self, name: str, limit: int) -> bytes:
        return _texts(await self._provider.playlist(name, limit))


def _texts(tracks: Iterable[Track]) -> bytes:
    return write([track.to_dict() for track in tracks], "the tracks")


@final
class Plugged:
    """A plugin as Rust asks it: its states as JSON."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin

    def save(self, guild_id: int) -> bytes | None:
        state = self._plugin.save(guild_id)
        return None if state is None else write(state, f"the state of {self._plugin.name}")

    def load(self, guild_id: int, version: str, text: str) -> None:
        self._plugin.load(guild_id, version, json.loads(text))
