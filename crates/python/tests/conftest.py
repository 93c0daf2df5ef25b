"""A store for each test, and for those of players a node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import scripted

import dalsegno
from dalsegno import sonora


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the test's store is."""
    return tmp_path / "store.db"


@pytest.fixture
def engine(store: Path) -> Iterator[dalsegno.Engine]:
    """An engine on a new store."""
    with dalsegno.open(store) as engine:
        yield engine


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[scripted.Node]:
    """A scripted node, and a working directory of the test's own; what is global is as at first."""
    monkeypatch.chdir(tmp_path)
    manager = sonora.snapshot_manager
    with scripted.node() as node:
        yield node
    sonora.event_manager.remove_all_listeners()
    manager.snapshot_dir = ".sonora_snapshots"
    sonora.credential_manager.key_path = ".sonora_credentials/key"
    manager.auto_snapshot_interval, manager.max_snapshots_per_guild = 300, 10
