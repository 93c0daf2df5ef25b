"""Bots on a scripted node, for the tests of `dalsegno.sonora`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

from scripted import Node

from dalsegno.sonora import Player, SonoraClient, Track

P = ParamSpec("P")

PATIENCE = 60
"""Nothing here takes so many seconds; what does hangs."""


def awaited(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that is a coroutine function."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def whole() -> None:
            async with asyncio.timeout(PATIENCE):
                await test(*args, **kwargs)

        asyncio.run(whole())

    return run


def client(node: Node, **options: Any) -> SonoraClient:
    """A client of the node, not started."""
    return SonoraClient([node.config], settle=0.02, **options)  # type: ignore[list-item]  # pyright: ignore


@contextlib.asynccontextmanager
async def bot(node: Node, **options: Any) -> AsyncGenerator[SonoraClient]:
    """A client that runs."""
    async with client(node, **options) as made:
        yield made


async def tracks(made: SonoraClient, first: int, last: int) -> list[Track]:
    """Tracks of the node's catalogue, from `first` on and before `last`."""
    found = [await made.load_track(f"track-{number}") for number in range(first, last)]
    return [track for track in found if track is not None]


async def playing(made: SonoraClient, guild: int = 1, upcoming: int = 4) -> Player:
    """A player in a channel that plays `track-0`, and what comes after it."""
    player = await made.get_player(guild)
    await player.connect(5, "voice session", "a secret token", "127.0.0.1:1")
    first, *others = await tracks(made, 0, upcoming + 1)
    await player.play(first)
    await player.queue.add_multiple(others)
    return player


def names(player: Player) -> list[str]:
    """What is upcoming."""
    return [track.identifier for track in player.queue.upcoming]


async def until(is_so: Callable[[], Awaitable[bool] | bool]) -> None:
    """Waits until something is so."""
    while True:
        found = is_so()
        if found is True or (not isinstance(found, bool) and await found):
            return
        await asyncio.sleep(0.005)
