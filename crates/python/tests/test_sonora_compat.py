"""Sonora 1.2.8 itself reads what is written here, and the other way round; and programs that import its name run."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, playing
from scripted import REPOSITORY, Node

import dalsegno
from dalsegno.sonora import SecurityError, Snapshot, snapshot_manager

HERE = Path(__file__).parent
COMPAT = HERE.parent / "compat"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "python"


def pip(folder: Path, *what: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--target", str(folder), *map(str, what)], check=True)


@functools.cache
def sonora() -> Path:
    """A folder with Sonora 1.2.8, which is installed once."""
    wanted = HERE / "requirements-sonora.txt"
    folder = TARGET / "py-sonora"
    done = folder / "requirements.txt"
    if not done.exists() or done.read_text() != wanted.read_text():
        pip(folder, "--upgrade", "-r", wanted)
        done.write_text(wanted.read_text())
    return folder


def run(folder: Path, program: str, *arguments: str | Path) -> str:
    """What a program says that has only that folder beside the packages of the tests."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


READS = """
import json, sys, sonora
assert sonora.__version__ == "1.2.7" and hasattr(sonora, "SmartQueue")
snapshot = sonora.snapshot_manager.load_snapshot(sys.argv[1])
print(json.dumps([snapshot.guild_id, snapshot.timestamp, snapshot.data]))
"""

WRITES = """
import sys, sonora
from sonora.snapshot import SessionSnapshot
snapshot = SessionSnapshot(123456789012345678)
snapshot.data = {
    "player": {"volume": 75, "paused": False, "position": 45000, "connected": True, "session_id": "s"},
    "queue": {"current": None, "upcoming": [{"title": "Stra\\u00dfe \\U0001f600", "identifier": "b", "length": 1.5e300}],
              "history": [], "loop_mode": "track", "shuffle_enabled": True},
    "filters": {"active_filters": [], "filter_config": {}},
    "autoplay": {"enabled": True, "strategy": "random", "max_history": 50, "smart_shuffle": True},
}
with open(sys.argv[1], "w") as file:
    file.write(snapshot.to_json())
"""


@awaited
async def test_sonora_reads_what_is_written_here(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made, guild=987)
        await player.filters.preset("nightcore")
        snapshot = await player.create_snapshot("Straße 😀")
        snapshot.metadata = {"tags": ["party"], "level": 0.1}
        await snapshot.save_to_file("ours.json")
    guild, timestamp, data = json.loads(run(sonora(), READS, "ours.json"))
    assert (guild, timestamp, data) == (987, snapshot.timestamp, snapshot.data)
    # Its checksum is looked at there, too.
    Path("changed.json").write_text(Path("ours.json").read_text().replace("nightcore", "n"))
    with pytest.raises(AssertionError, match="integrity check failed"):
        run(sonora(), READS, "changed.json")


@awaited
async def test_what_sonora_writes_is_read_here(node: Node) -> None:
    run(sonora(), WRITES, "theirs.json")
    snapshot = await Snapshot.load_from_file("theirs.json")
    assert snapshot.guild_id == 123456789012345678 and snapshot.name == "theirs"
    assert snapshot.queue[0].title == "Straße 😀" and snapshot.version == "1.2.8"
    written = json.loads(Path("theirs.json").read_text())
    assert snapshot.checksum == written["checksum"] and snapshot.to_dict() == written
    snapshot.name = "ours now"
    assert snapshot.checksum != written["checksum"]
    assert await snapshot.verify_integrity()
    async with bot(node) as made:
        player = await made.get_player(123456789012345678)
        await player.load_snapshot(snapshot)
        assert (player.volume, player.queue.loop_mode, len(player.queue.upcoming)) == (
            75,
            "track",
            1,
        )
    Path("theirs.json").write_text(Path("theirs.json").read_text().replace("75", "76"))
    with pytest.raises(SecurityError):
        snapshot_manager.load_snapshot("theirs.json")


PROGRAM = """
import asyncio, sys
import dalsegno.sonora
import sonora
from sonora import Backup, EventType, Snapshot, SonoraClient, SonoraError, Track, event_manager, snapshot_manager
from sonora.client import SonoraClient as again
from sonora.exceptions import SonoraError as error
from sonora.snapshot import SnapshotManager
from sonora.events import EventManager
from sonora.player import Player
from sonora.queue import Queue
from sonora.track import Track as track
from sonora.filters import Filters
from sonora.autoplay import Autoplay

assert again is SonoraClient is dalsegno.sonora.SonoraClient and error is SonoraError and track is Track
assert set(dalsegno.sonora.__all__) <= set(dir(sonora))

async def main():
    client = SonoraClient([{"host": "127.0.0.1", "port": int(sys.argv[1]), "password": sys.argv[2]}])
    player = await client.get_player(5)
    print(snapshot_manager.save_snapshot(snapshot_manager.create_snapshot(player), "own.json"))
    await client.close()

asyncio.run(main())
"""


def test_a_program_that_imports_sonora_runs(node: Node, tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    pip(folder, "--no-deps", COMPAT)
    assert run(folder, PROGRAM, str(node.port), node.password) == "own.json\n"
    (about,) = folder.glob("dalsegno_sonora_compat-*.dist-info/METADATA")
    version: Any = re.search("^Version: (.*)$", about.read_text(), re.MULTILINE)
    assert version[1] == dalsegno.__version__
    assert list(folder.glob("sonora/py.typed"))
