"""A scripted Lavalink node, which the tests start, watch, and have fail."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[3]


@functools.cache
def program() -> str:
    """The node, built."""
    command = ["cargo", "build", "--quiet", "--locked", "--message-format=json"]
    command += ["-p", "dalsegno-scripted", "--example", "node"]
    built = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    told = map(json.loads, built.stdout.splitlines())
    paths = [it["executable"] for it in told if it.get("target", {}).get("name") == "node"]
    return str(next(path for path in paths if path))


class Node:
    """A node that runs. What it is asked for is told as it really is, whatever it answers to its clients."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        said = self._read()
        self.port: int = said["port"]
        self.password: str = said["password"]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self, do: str, **asked: Any) -> Any:
        """Has it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        assert "there is no command" not in str(answer), answer
        return answer

    def player(self, guild: int) -> dict[str, Any]:
        """The player of a guild."""
        player = self.ask("player", guild=guild)
        assert player is not None, f"guild {guild} has no player"
        return dict(player)

    def heard(self, guild: int) -> list[list[Any]]:
        """What the people in a guild heard."""
        return list(self.ask("heard", guild=guild))

    @property
    def config(self) -> dict[str, Any]:
        """It, as clients are told of it."""
        return {"host": "127.0.0.1", "port": self.port, "password": self.password, "name": "main"}


@contextlib.contextmanager
def node(port: int = 0) -> Generator[Node]:
    """Starts a node, and makes sure that it is gone at the end."""
    pipe = subprocess.PIPE
    command = [program(), str(port)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Node(process)
        finally:
            process.kill()
