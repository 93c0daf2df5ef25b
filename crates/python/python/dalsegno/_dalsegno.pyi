"""What `dalsegno` stands on. Use `dalsegno` itself: these names may change."""

from collections.abc import Callable
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias, final

from .asked import Asked, Duration
from .hermes import Recovery, Saved, Status
from .results import (
    Cleaned,
    CleanupPlan,
    Diagnosis,
    Diff,
    Imported,
    LogEntry,
    Page,
    Plan,
    Policy,
    Purged,
    Report,
    Snapshot,
    Stats,
    Trashed,
    Verification,
)

__all__ = [
    "Handle",
    "State",
    "States",
    "Text",
    "Ticket",
    "after_fork_in_child",
    "after_fork_in_parent",
    "before_fork",
    "close_all",
    "dumps",
    "exact_json",
    "hermes_count",
    "hermes_inspect",
    "hermes_recover",
    "hermes_recover_all",
    "hermes_save",
    "hermes_update",
    "pretty",
    "version",
]

version: str

_Time: TypeAlias = datetime | timedelta | str
_Path: TypeAlias = str | PathLike[str]

def before_fork() -> None: ...
def after_fork_in_parent() -> None: ...
def after_fork_in_child() -> None: ...
def close_all() -> None: ...
def dumps(value: object, other: Callable[[Any], Any]) -> Text: ...
def pretty(text: bytes) -> bytes: ...
def exact_json(value: object) -> bytes | None: ...
def hermes_count(path: _Path) -> int: ...
def hermes_inspect(path: _Path, counter: Callable[[Path], int] | None) -> Status: ...
def hermes_recover(
    path: _Path, counter: Callable[[Path], int] | None
) -> tuple[Recovery, Path | None]: ...
def hermes_recover_all(
    folder: _Path, counter: Callable[[Path], int] | None, dry_run: bool
) -> tuple[int, list[tuple[Recovery, Path | None]], list[tuple[Path, str]]]: ...
def hermes_save(path: _Path, text: bytes) -> Saved: ...
def hermes_update(path: _Path, change: Callable[[bytes | None], bytes | None]) -> Saved | None: ...

@final
class States:
    def __new__(cls) -> States: ...
    def push(self, text: bytes) -> State: ...
    def bytes_held(self) -> int: ...

@final
class State:
    def text(self) -> bytes: ...

@final
class Text:
    def __bytes__(self) -> bytes: ...

@final
class Ticket:
    def done(self) -> bool: ...
    def result(self, timeout: float | None) -> Snapshot: ...

@final
class Handle:
    def __new__(
        cls,
        path: _Path | None,
        create: bool,
        read_only: bool,
        cache_bytes: int | None,
        busy_timeout: float,
    ) -> Handle: ...
    @property
    def path(self) -> Path: ...
    @property
    def closed(self) -> bool: ...
    @property
    def read_only(self) -> bool: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...
    def submit(
        self,
        session: str,
        text: Text | bytes,
        *,
        name: str | None,
        label: str | None,
        description: str | None,
        tags: list[str],
        metadata: str | None,
        kind: str,
        turn: int | None,
        schema_version: str | None,
        pin: bool,
        expect_newest: str | None,
        expect_new: bool,
    ) -> Ticket: ...
    def sessions(self) -> list[str]: ...
    def page(
        self,
        session: str | None,
        *,
        since: _Time | None,
        until: _Time | None,
        kind: list[str],
        tags: list[str],
        name: str | None,
        sort: str,
        reverse: bool,
        limit: int,
        cursor: str | None,
    ) -> Page: ...
    def info(self, reference: str) -> Snapshot: ...
    def text(self, reference: str, component: str | None) -> bytes: ...
    def components(self, reference: str) -> list[str]: ...
    def log(self, session: str, limit: int) -> list[LogEntry]: ...
    def diff(self, from_: str, to: str) -> Diff: ...
    def diff_lines(self, from_: str, to: str, each: int) -> list[str]: ...
    def verify(self, session: str | None) -> Verification: ...
    def stats(self, session: str | None, rebuild: int | None, zone: str | None) -> Stats: ...
    def doctor(self) -> Diagnosis: ...
    def trash(self, session: str | None) -> list[Trashed]: ...
    def policies(self) -> list[Policy]: ...
    def put_back(
        self, reference: str, components: list[str], path: _Path | None, dry_run: bool
    ) -> Plan | Report: ...
    def rollback(
        self,
        session: str,
        *,
        steps: int | None,
        to: str | None,
        turn: int | None,
        at: _Time | None,
        path: _Path | None,
        dry_run: bool,
    ) -> Plan | Report: ...
    def undo(self, session: str, dry_run: bool) -> Plan | Report: ...
    def redo(self, session: str, dry_run: bool) -> Plan | Report: ...
    def fork(self, reference: str, name: str, dry_run: bool) -> Snapshot: ...
    def rename(self, reference: str, name: str | None) -> Snapshot: ...
    def tag(self, reference: str, tags: list[str]) -> Snapshot: ...
    def untag(self, reference: str, tags: list[str]) -> Snapshot: ...
    def pin(self, reference: str, pinned: bool) -> Snapshot: ...
    def delete(
        self, references: list[str], grace: Duration | None, dry_run: bool
    ) -> list[Snapshot]: ...
    def undelete(self, references: list[str], dry_run: bool) -> list[Snapshot]: ...
    def purge(
        self, ids: list[str] | None, everything: bool, session: str | None, dry_run: bool
    ) -> Purged: ...
    def cleanup(
        self,
        session: str | None,
        rules: Asked | None,
        grace: Duration | None,
        purge: bool,
        dry_run: bool,
    ) -> CleanupPlan | Cleaned: ...
    def set_policy(self, pattern: str, rules: Asked, grace: Duration | None) -> None: ...
    def remove_policy(self, pattern: str) -> None: ...
    def export(self, path: _Path, session: str | None) -> int: ...
    def import_text(self, text: bytes) -> Imported: ...
    def import_file(self, path: _Path) -> Imported: ...
