"""Texts that only the key of the program opens."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bots import awaited, bot, names, playing
from scripted import Node

import dalsegno
from dalsegno.sonora import (
    CredentialManager,
    DamagedError,
    SecurityError,
    Snapshot,
    SnapshotManager,
    WrongKeyError,
    credential_manager,
    snapshot_manager,
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    credential_manager.key_path = ".sonora_credentials/key"


# As the document on session management shows it.
class EncryptedSnapshotManager:
    def __init__(self, snapshot_manager: SnapshotManager, credential_manager: CredentialManager):
        self.snapshot_manager = snapshot_manager
        self.credential_manager = credential_manager

    def save_encrypted_snapshot(self, snapshot: Snapshot, filename: str, key_name: str) -> None:
        json_data = snapshot.to_json()
        encrypted_data = self.credential_manager.encrypt_credential(json_data)
        with open(filename, "w") as f:
            f.write(encrypted_data)

    def load_encrypted_snapshot(self, filename: str, key_name: str) -> Snapshot:
        with open(filename) as f:
            encrypted_data = f.read()
        json_data = self.credential_manager.decrypt_credential(encrypted_data)
        return self.snapshot_manager.from_json(json_data)


@awaited
async def test_the_example_of_the_document(node: Node) -> None:
    async with bot(node) as made:
        player = await playing(made)
        encrypted_manager = EncryptedSnapshotManager(snapshot_manager, credential_manager)
        snapshot = snapshot_manager.create_snapshot(player)
        encrypted_manager.save_encrypted_snapshot(snapshot, "secure_backup.json", "backup_key")
        assert "track-0" not in Path("secure_backup.json").read_text()
        restored = encrypted_manager.load_encrypted_snapshot("secure_backup.json", "backup_key")
        assert restored.to_dict() == snapshot.to_dict()
        await player.reset_to_defaults()
        await snapshot_manager.restore_snapshot(restored, player)
        assert len(names(player)) == 4


def test_texts_of_any_size_come_back(place: Path) -> None:
    for text in ("", "token", "Straße 😀\r\n\0", "x" * 5_000_000):
        sealed = credential_manager.encrypt_credential(text)
        assert sealed.isascii() and (not text or text not in sealed)
        assert credential_manager.decrypt_credential(sealed) == text
    key = place / ".sonora_credentials" / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (key.parent / ".gitignore").read_text() == "*\n"
    assert key.read_text().split()[-1] not in repr(credential_manager)


PROGRAM = """
import sys
from dalsegno.sonora import credential_manager
sys.stdin.readline()
print(credential_manager.encrypt_credential(sys.argv[1]), end="")
"""


def test_processes_that_begin_at_once_have_one_key(place: Path) -> None:
    pipe = subprocess.PIPE
    with contextlib.ExitStack() as stack:
        begun = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM, f"token {n}"],
                    stdin=pipe,
                    stdout=pipe,
                    text=True,
                )
            )
            for n in range(4)
        ]
        for process in begun:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        sealed = [process.communicate()[0] for process in begun]
    opened = [credential_manager.decrypt_credential(it) for it in sealed]
    assert opened == [f"token {n}" for n in range(4)]


def test_a_key_that_is_lost_is_not_replaced(place: Path) -> None:
    credential_manager.key_path = place / "keys" / "mine"
    sealed = credential_manager.encrypt_credential("token")
    kept = credential_manager.key_path.rename(place / "kept")
    with pytest.raises(WrongKeyError, match=r"no key at .*keys/mine.* put its file back") as raised:
        credential_manager.decrypt_credential(sealed)
    assert isinstance(raised.value, SecurityError) and isinstance(
        raised.value, dalsegno.WrongKeyError
    )
    assert not Path(credential_manager.key_path).exists()

    credential_manager.encrypt_credential("another one is made now")
    with pytest.raises(WrongKeyError, match="not the one"):
        credential_manager.decrypt_credential(sealed)
    assert CredentialManager(kept).decrypt_credential(sealed) == "token"


def test_a_text_that_is_damaged_is_said_to_be(place: Path) -> None:
    sealed = credential_manager.encrypt_credential("token")
    bad: list[Any] = ["", "token", sealed[:-30], sealed[:300] + sealed[301:]]
    for text in bad:
        with pytest.raises(DamagedError, match="another copy") as raised:
            credential_manager.decrypt_credential(text)
        assert isinstance(raised.value, SecurityError)
