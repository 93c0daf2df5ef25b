"""Backups of players: of all that a client has, and of what changed of one."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, final

from .._dalsegno import sonora_read, sonora_write
from .._threads import threads
from ._change import applied, change, text
from ._text import members, read, write
from .errors import ConflictError, DamagedError, InvalidInputError, NotFoundError, SonoraError
from .events import EventType, event_manager
from .snapshot import VERSION, Snapshot, StrPath, _torn

__all__ = ["Backup"]

Kind: TypeAlias = Literal["full", "incremental", "differential"]

Content: TypeAlias = Callable[[str], bytes]
"""The text of a snapshot of a store, by its id."""

NO_CHANGE = (LookupError, TypeError, ValueError, AttributeError)


@final
class Backup:
    """Players as they were: all of a client, or one of them; whole, or as what changed since another state, the base.

    `SonoraClient.create_full_backup`, `Player.create_incremental_backup` and `Player.create_differential_backup` make one,
    `SonoraClient.restore_from_backup` puts it back. What it holds cannot be changed.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        """Of what `to_dict` gave, as `from_dict`."""
        given = members(content)
        claimed = given.pop("checksum", None)
        kind = given.get("backup")
        if kind not in ("full", "incremental", "differential"):
            raise InvalidInputError(
                "it is no backup of players; a snapshot is read with Snapshot.load_from_file"
            )
        # As its file has it, and nobody else's.
        written = write(given, "the backup")
        self._content: dict[str, Any] = read(written)
        self._checksum = _checksum(self._content)
        if claimed != self._checksum:
            raise DamagedError(
                f"the backup is damaged: its checksum says {claimed}, its content has {self._checksum}; load another one"
            )
        version = str(self._content.get("version"))
        if version.split(".")[0] != VERSION.split(".")[0]:
            raise InvalidInputError(
                f"the backup is of version {version}, and {VERSION} is known here"
            )
        try:
            self.kind: Kind = kind
            """`full`, `incremental` or `differential`."""
            self.id = str(self._content["id"])
            """Its random number, in hexadecimal."""
            self.timestamp = float(self._content["timestamp"])
            self.version = version
            self._entries: dict[int, dict[str, Any]] = {
                int(entry["guild_id"]): entry for entry in self._content["players"]
            }
            if kind != "full":
                (entry,) = self._entries.values()
                _ = (entry["changes"]["members"], str(entry["data_checksum"]))
                _ = (str(self._content["base"]["data_checksum"]), self._content["base"]["name"])
        except NO_CHANGE as error:
            raise InvalidInputError(f"the backup is malformed: {error!r}") from error

    # How they are made.

    @classmethod
    def _full(cls, snapshots: Iterable[Snapshot]) -> Backup:
        id, taken = uuid.uuid4().hex, list(snapshots)
        for snapshot in taken:
            _mark(snapshot, id, "full")
        return cls._made("full", id, None, [snapshot.to_dict() for snapshot in taken])

    @classmethod
    def _since(cls, kind: Kind, base: Snapshot, snapshot: Snapshot) -> Backup:
        id = uuid.uuid4().hex
        before, after = _data(base), _data(snapshot)
        _mark(snapshot, id, kind)
        about = {
            "guild_id": base.guild_id,
            "name": base.name,
            "timestamp": base.timestamp,
            "backup": base.metadata.get("backup"),
            "snapshot": base._id,
            "data_checksum": _checksum(before),
        }
        entry: dict[str, Any] = {
            "guild_id": snapshot.guild_id,
            "name": snapshot.name,
            "timestamp": snapshot.timestamp,
            "changes": {"members": {}, "removed": [], **change(before, after)},
            "data_checksum": _checksum(after),
        }
        return cls._made(kind, id, about, [entry])

    @classmethod
    def _made(
        cls, kind: Kind, id: str, base: dict[str, Any] | None, players: list[dict[str, Any]]
    ) -> Backup:
        content: dict[str, Any] = {
            "backup": kind,
            "id": id,
            "timestamp": datetime.now(UTC).timestamp(),
            "version": VERSION,
            "base": base,
            "players": players,
        }
        content = read(write(content, "the backup"))
        return cls({**content, "checksum": _checksum(content)})

    # What it is.

    @property
    def name(self) -> str:
        """What it is called: by its kind, its guild where it is of one player, and its time."""
        guild = f"guild_{self.guilds[0]}_" if len(self._entries) == 1 else ""
        return f"{guild}{self.kind}_{int(self.timestamp)}"

    @property
    def created_at(self) -> datetime:
        """When it was made, in the local time zone."""
        return datetime.fromtimestamp(self.timestamp, UTC).astimezone()

    @property
    def guilds(self) -> list[int]:
        """Whose players it has."""
        return list(self._entries)

    @property
    def base(self) -> dict[str, Any] | None:
        """The state that it goes on from, and that it needs: `name`, `timestamp` and `guild_id` of the snapshot, its id in
        the store (`snapshot`), the id of the `backup` that took it, if one did, and the `data_checksum` it is known by."""
        base = self._content["base"]
        return None if base is None else dict(base)

    @property
    def players(self) -> dict[int, Snapshot]:
        """The players as they were, by guild. Only of a full one: others need their base, see `restore_from_backup`."""
        if self.kind != "full":
            raise InvalidInputError(
                f"{self.name} has only what changed since {_shown(self._content['base'])}"
            )
        return {guild: Snapshot.from_dict(entry) for guild, entry in self._entries.items()}

    @property
    def checksum(self) -> str:
        """The SHA-256 that its file has, calculated as that of a snapshot's file."""
        return self._checksum

    @property
    def size(self) -> int:
        """How many bytes its file has."""
        return len(self.to_json().encode())

    # What it is turned into, and read from.

    def to_dict(self) -> dict[str, Any]:
        """Its file's content, with its checksum."""
        content: dict[str, Any] = read(write(self._content, "the backup"))
        return {**content, "checksum": self._checksum}

    def to_json(self) -> str:
        """Its file's text, with its checksum."""
        return json.dumps({**self._content, "checksum": self._checksum}, indent=2)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Backup:
        """Reads what `to_dict` gave. Raises `SecurityError` where the checksum is missing, or of another content."""
        return cls(data)

    @classmethod
    def from_json(cls, text: str | bytes) -> Backup:
        """Reads what `to_json` gave; see `from_dict`."""
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"it is no backup: {error}") from error
        return cls(members(content))

    async def save_to_file(self, path: StrPath) -> str:
        """Writes its file, whole or not at all, for its owner only. Missing folders are made. The path is given back."""
        await threads.run(lambda: sonora_write(path, self.to_json().encode()))
        return str(path)

    @classmethod
    async def load_from_file(cls, path: StrPath) -> Backup:
        """Reads a file. Raises `FileNotFoundError`, `ValueError` where it is none, `SecurityError` where it is damaged."""
        try:
            return await threads.run(lambda: cls.from_json(sonora_read(path)))
        except DamagedError as error:
            await event_manager.told(
                EventType.SNAPSHOT_CORRUPTION_DETECTED, snapshot=_torn(path, error), user=None
            )
            raise DamagedError(f"{path}: {error}") from error
        except InvalidInputError as error:
            raise InvalidInputError(f"{path}: {error}") from error

    # How they are put back.

    def _whole(self, given: Iterable[Snapshot | Backup], content: Content) -> list[Snapshot]:
        """The players as they were, with a base that is among those given, or in the store."""
        if self.kind == "full":
            return list(self.players.values())
        bases = list(given)
        known: dict[str, dict[str, Any]] = {}
        for base in bases:
            if isinstance(base, Snapshot):
                known[_checksum(_data(base))] = _data(base)
            elif base.kind == "full":
                known.update((_checksum(_data(it)), _data(it)) for it in base.players.values())
        chain: list[Backup] = [self]
        while (data := _found(chain[-1]._content["base"], known, content)) is None:
            wanted = chain[-1]._content["base"]["data_checksum"]
            steps = (it for it in bases if isinstance(it, Backup) and it.kind != "full")
            step = next((it for it in steps if it not in chain and it._result() == wanted), None)
            if step is None:
                raise _missing(chain[-1], bases)
            chain.append(step)
        for step in reversed(chain):
            data = step._applied(data)
        (entry,) = self._entries.values()
        snapshot = Snapshot(int(entry["guild_id"]), data)
        snapshot.timestamp, snapshot.name = float(entry["timestamp"]), str(entry["name"])
        return [snapshot]

    def _result(self) -> str:
        """What the state is known by that it leads to."""
        (entry,) = self._entries.values()
        return str(entry["data_checksum"])

    def _applied(self, before: dict[str, Any]) -> dict[str, Any]:
        (entry,) = self._entries.values()
        try:
            after: dict[str, Any] = applied(before, entry["changes"])
            if _checksum(after) == entry["data_checksum"]:
                return after
        except NO_CHANGE:
            pass
        raise DamagedError(
            f"the changes of {self.name} do not lead to the state that it is of; restore another backup"
        )

    def __repr__(self) -> str:
        base = "" if self.kind == "full" else f" on {self._content['base']['name']!r}"
        return f"Backup({self.name!r}{base} of {len(self._entries)} players, {self.created_at:%Y-%m-%d %H:%M:%S})"


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(text(content).encode()).hexdigest()


def _data(snapshot: Snapshot) -> dict[str, Any]:
    # As JSON has it: what a program assigned may have other keys than texts.
    data: dict[str, Any] = read(write(snapshot.data, "the snapshot's data"))
    return data


def _mark(snapshot: Snapshot, id: str, kind: Kind) -> None:
    """By this, the next one knows from what it goes on, also after a restart."""
    snapshot.metadata = {**snapshot.metadata, "backup": id, "backup_kind": kind}


def _found(
    base: Mapping[str, Any], known: Mapping[str, dict[str, Any]], content: Content
) -> dict[str, Any] | None:
    """The state that a backup goes on from, if that is known or in the store."""
    wanted = base["data_checksum"]
    if wanted in known:
        return known[wanted]
    if not base.get("snapshot"):
        return None
    try:
        data: dict[str, Any] = read(content(str(base["snapshot"])))
    except SonoraError:
        # In another store, deleted, or damaged there: it is needed from elsewhere.
        return None
    return data if _checksum(data) == wanted else None


def _missing(backup: Backup, given: list[Snapshot | Backup]) -> SonoraError:
    base = _shown(backup._content["base"])
    way = (
        "give it by base=: that snapshot, or the backup that has it, with those that this one needs"
    )
    if given:
        others = ", ".join(it.name for it in given)
        return ConflictError(
            f"{backup.name} goes on from {base}, and not from {others}; nothing was restored: {way}"
        )
    return NotFoundError(
        f"{backup.name} needs {base}, which is not in the store; nothing was restored: {way}"
    )


def _shown(base: Mapping[str, Any]) -> str:
    of = f" of the backup {base['backup']}" if base.get("backup") else ""
    return f"the snapshot {base['name']!r}{of}"
