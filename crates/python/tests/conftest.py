"""A store for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import dalsegno


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the test's store is."""
    return tmp_path / "store.db"


@pytest.fixture
def engine(store: Path) -> Iterator[dalsegno.Engine]:
    """An engine on a new store."""
    with dalsegno.open(store) as engine:
        yield engine
