"""A snapshot of a player: taken, read from a file, or found in the store."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from os import PathLike
from typing import Any, TypeAlias, final

from .._dalsegno import SonoraCore, SonoraFile
from .._threads import threads
from ..results import Repaired
from ..results import Snapshot as Record
from ._mend import shortfall
from ._text import items, members, read, write
from .errors import (
    ConflictError,
    DamagedError,
    InvalidInputError,
    NotFoundError,
    SonoraError,
)
from .events import EventType, event_manager
from .track import Track

__all__ = ["Snapshot", "StrPath"]

StrPath: TypeAlias = str | PathLike[str]

logger = logging.getLogger("dalsegno.sonora")

VERSION = "1.2.8"
"""The version of the files that are written."""
OWN = ("name", "description", "metadata")


@final
class Snapshot:
    """A player as it was.

    `name`, `description` and `metadata` can be assigned at any time: the next file has them, the checksum covers them,
    and a snapshot that is in a running client's store is changed there too.
    """

    def __init__(self, guild_id: int, data: Mapping[str, Any] | None = None) -> None:
        self.guild_id = guild_id
        self.timestamp: float = time.time()
        self.version = VERSION
        self._data: dict[str, Any] | None = dict(data or {})
        self._text: bytes | None = None
        self._name: str | None = None
        self._called: str | None = None
        self._description: str | None = None
        self._metadata: dict[str, Any] = {}
        self._other: dict[str, Any] = {}
        self._checksum: str | None = None
        self._claimed: str | None = None
        self._size: int | None = None
        self._core: SonoraCore | None = None
        self._id: str | None = None
        self._error: SonoraError | None = None
        self._repaired: Repaired | None = None
        self._key: str | None = None
        self._told = False

    # Where they come from.

    @classmethod
    def _of_file(cls, file: SonoraFile, name: str | None = None) -> Snapshot:
        made = cls(file.guild_id)
        made.timestamp, made.version = file.timestamp, file.version
        made._data, made._text = None, file.data
        made._checksum = file.checksum
        other: dict[str, Any] = read(file.other)
        given, description, metadata = (other.pop(key, None) for key in OWN)
        made._name = given if isinstance(given, str) and given else None
        made._called = name
        made._description = description if isinstance(description, str) else None
        made._metadata = members(metadata)
        made._other = other
        return made

    @classmethod
    def _of_store(
        cls, core: SonoraCore, guild_id: int, record: Record, text: bytes | None = None
    ) -> Snapshot:
        made = cls(guild_id)
        made._data, made._text = None, text
        made._core, made._id = core, record["id"]
        made._say(record)
        return made

    def _say(self, record: Record) -> None:
        """What the store says of it."""
        self.timestamp = record["created_at"].timestamp()
        self._name = record["label"] or record["name"]
        self._description = record["description"]
        self._metadata = dict(record["metadata"])
        self._size = record["size"]
        self._repaired = record["repaired"]

    @classmethod
    def _of_damage(
        cls,
        guild_id: int,
        name: str,
        why: SonoraError,
        core: SonoraCore | None = None,
        id: str | None = None,
    ) -> Snapshot:
        made = cls(guild_id)
        made._data, made._error, made._name, made._size = None, why, name, 0
        made._core, made._id = core, id
        return made

    # What it is.

    @property
    def name(self) -> str:
        """What it is called; where nobody named it, as its file, or by its guild and time."""
        return self._name or self._called or f"guild_{self.guild_id}_{int(self.timestamp)}"

    @name.setter
    def name(self, name: str) -> None:
        if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInputError("a snapshot's name is a text that is not empty")
        if (core := self._store()) is not None and self._id is not None:
            core.rename(self._id, name)
        self._name, self._checksum, self._claimed = name, None, None

    @property
    def description(self) -> str | None:
        """What somebody says of it."""
        return self._description

    @description.setter
    def description(self, description: str | None) -> None:
        if (core := self._store()) is not None and self._id is not None:
            core.describe(self._id, description)
        self._description, self._checksum, self._claimed = description, None, None

    @property
    def metadata(self) -> dict[str, Any]:
        """What a program says of it: anything that is JSON. Assign it as a whole."""
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: Mapping[str, Any]) -> None:
        text = write(dict(metadata), "the metadata")
        if (core := self._store()) is not None and self._id is not None:
            core.note(self._id, text)
        self._metadata, self._checksum, self._claimed = read(text), None, None

    @property
    def created_at(self) -> datetime:
        """When it was taken, in the local time zone."""
        return datetime.fromtimestamp(self.timestamp, UTC).astimezone()

    @property
    def size(self) -> int:
        """How many bytes its data has."""
        if self._size is None:
            self._size = len(self._content())
        return self._size

    @property
    def data(self) -> dict[str, Any]:
        """All that it holds: `player`, `queue`, `filters`, `autoplay` and more. It is read when it is first asked for.

        Raises `SecurityError` where it is damaged.
        """
        data = self._data
        if data is None:
            data = self._data = members(read(self._content()))
        return data

    @data.setter
    def data(self, data: Mapping[str, Any]) -> None:
        self._data = dict(data)

    @property
    def repaired(self) -> Repaired | None:
        """What of it is not as it was taken, where it was damaged and a repair did not get all of it back."""
        return self._repaired

    @property
    def checksum(self) -> str:
        """The SHA-256 that its file has, or would have now."""
        if self._claimed is not None:
            return self._claimed
        if self._checksum is None:
            self._checksum = self._proof()
        return self._checksum

    @checksum.setter
    def checksum(self, checksum: str) -> None:
        self._claimed = checksum

    @property
    def queue(self) -> list[Track]:
        """The upcoming tracks."""
        upcoming = items(members(self.data.get("queue")).get("upcoming"))
        return [Track._of(members(track)) for track in upcoming]

    @property
    def filters(self) -> dict[str, Any]:
        """What is on, by name: the parameters of filters; nothing of presets, whose filters stand in `data`."""
        filters = members(self.data.get("filters"))
        config = members(filters.get("filter_config"))
        names = items(filters.get("active_filters", list(config)))
        return {str(name): config.get(str(name)) for name in names}

    @property
    def settings(self) -> dict[str, Any]:
        """Volume, pause, loop, shuffle, and what the bot and its plugins keep of the guild."""
        player, queue = members(self.data.get("player")), members(self.data.get("queue"))
        return {
            "volume": player.get("volume", 100),
            "paused": player.get("paused", False),
            "loop_mode": queue.get("loop_mode", "none"),
            "shuffle_enabled": queue.get("shuffle_enabled", False),
            **members(self.data.get("settings")),
            "plugins": members(self.data.get("plugins")),
        }

    # What it is turned into, and read from.

    def to_dict(self) -> dict[str, Any]:
        """Its file's content, with its checksum."""
        content: dict[str, Any] = read(self.to_json().encode())
        return content

    def to_json(self) -> str:
        """Its file's text, with its checksum."""
        return self._file().write()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Snapshot:
        """Reads what `to_dict` gave. Raises `SecurityError` where the checksum is of another content."""
        return cls._of_file(SonoraFile.read(write(dict(data), "the snapshot")))

    @classmethod
    def from_json(cls, text: str | bytes) -> Snapshot:
        """Reads what `to_json` gave, or Sonora 1.2 wrote; see `from_dict`."""
        raw = text.encode() if isinstance(text, str) else text
        return cls._of_file(SonoraFile.read(raw))

    async def save_to_file(self, path: StrPath) -> str:
        """Writes its file, whole or not at all, for its owner only. Missing folders are made. The path is given back."""
        file = self._file()
        await threads.run(file.save, path)
        return str(path)

    @classmethod
    async def load_from_file(cls, path: StrPath) -> Snapshot:
        """Reads a file. Raises `FileNotFoundError`, `ValueError` where it is none, `SecurityError` where it is damaged."""
        try:
            file = await threads.run(SonoraFile.load, path)
        except DamagedError as error:
            await event_manager.told(
                EventType.SNAPSHOT_CORRUPTION_DETECTED, snapshot=_torn(path, error), user=None
            )
            raise
        return cls._of_file(file, _stem(path))

    async def save_encrypted(self, path: StrPath, encryption_key: str | None = None) -> str:
        """Writes it as an age file that only the key opens: the one given here, or when it was created."""
        key = encryption_key or self._key
        if not key:
            raise InvalidInputError(
                "this snapshot has no key; give one here, or take it by create_encrypted_snapshot"
            )
        file = self._file()
        await threads.run(file.save_sealed, path, key)
        return str(path)

    @classmethod
    async def load_encrypted(cls, path: StrPath, decryption_key: str) -> Snapshot:
        """Reads what `save_encrypted` wrote. Raises `WrongKeyError` where the key does not open it."""
        file = await threads.run(SonoraFile.load_sealed, path, decryption_key)
        made = cls._of_file(file, _stem(path))
        made._key = decryption_key
        return made

    # Whether it is what was written.

    async def verify_integrity(self) -> bool:
        """Whether it is what was taken: in memory, against its checksum, and in the store. Never an exception."""
        if await threads.run(self._is_intact):
            return True
        if not self._told:
            self._told = True
            await event_manager.told(
                EventType.SNAPSHOT_CORRUPTION_DETECTED, snapshot=self, user=None
            )
        return False

    def _is_intact(self) -> bool:
        try:
            if self._error is not None:
                return False
            core, text = self._store(), self._text
            if core is not None and self._id is not None:
                kept = self._kept(core, self._id)
                if kept is not None and text is not None and kept != text:
                    return False
                text = kept or text
            if self._repaired is not None and self._repaired["lost_state"]:
                return False
            if self._claimed is not None and self._claimed != self._proof():
                return False
            if text is None:
                return self._data is not None
            return self._data is None or read(text) == self._data
        except Exception:
            logger.warning("the snapshot %s cannot be verified", self.name, exc_info=True)
            return False

    def _kept(self, core: SonoraCore, id: str) -> bytes | None:
        try:
            self._repaired = core.record(id)["repaired"]
            return core.content(id)
        except ConflictError:
            # The client was closed meanwhile: what is in memory is all there is to look at.
            return None

    async def repair(self, sources: StrPath | Iterable[StrPath] = ()) -> bool:
        """Makes it what was taken again, as far as it can be, and says whether all of it is; `repaired` has what is not.

        What was changed in memory alone is read again. What is damaged in the store of a running client comes from `sources`,
        backups of that store or copies of it in order of preference; where none is given, from the newest backup that the store
        knows of. What they do not have is put together from what is around it, and marked. Whatever else is damaged in the
        store is repaired with it, as by `Engine.repair`. A file is not repaired: load another one.

        Raises `AccessDeniedError` where a token of the store does not allow it, `InvalidInputError` where a source is of
        another store, `DamagedError` where the structure of the store's file is damaged: `dalsegno.rebuild` builds it anew.
        """
        given = [sources] if isinstance(sources, str | PathLike) else list(sources)
        return await threads.run(self._repair, given)

    def _repair(self, sources: list[StrPath]) -> bool:
        core, id = self._store(), self._id
        if core is not None and id is not None:
            if not self._is_kept(core, id):
                why = shortfall(core.repair(sources), self.guild_id, id)
                if why is not None:
                    logger.warning("repairing the snapshot %s: %s", self.name, why)
            self._read_again(core, id)
        elif self._text is not None:
            self._data = self._claimed = None
        elif self._error is None:
            # Nothing is known of it where the client was closed, which is raised.
            self._content()
        whole = self._is_intact() and self._repaired is None
        # What is damaged afterwards is told anew.
        self._told = self._told and not whole
        return whole

    def _is_kept(self, core: SonoraCore, id: str) -> bool:
        """Whether the store has all of it."""
        try:
            core.content(id)
            return core.record(id)["repaired"] is None
        except (DamagedError, NotFoundError):
            return False

    def _read_again(self, core: SonoraCore, id: str) -> None:
        """Takes what the store has of it now; what it has not stays what it is."""
        try:
            record, text = core.record(id), core.content(id)
        except (DamagedError, NotFoundError):
            return
        if self._error is not None or (self._repaired and self._repaired["lost_metadata"]):
            # Nothing was known of it.
            self._error = None
            self._say(record)
        self._repaired = record["repaired"]
        if self._text is None or self._repaired is None or not self._repaired["lost_state"]:
            self._text, self._size = text, len(text)
        self._data = self._claimed = self._checksum = None

    # What the others here need.

    def _store(self) -> SonoraCore | None:
        """The store that it is in, as long as the client runs."""
        return self._core if self._core is not None and self._core.running else None

    def _content(self) -> bytes:
        if self._error is not None:
            raise self._error
        if self._text is None:
            if self._data is not None:
                return write(self._data, "the snapshot's data")
            if self._core is None or self._id is None:
                raise InvalidInputError("this snapshot holds nothing")
            self._text = self._core.content(self._id)
        return self._text

    def _proof(self) -> str:
        return str(read(self._file().write().encode())["checksum"])

    def _file(self) -> SonoraFile:
        other: dict[str, Any] = {}
        if self._name is not None:
            other["name"] = self._name
        if self._description is not None:
            other["description"] = self._description
        if self._metadata:
            other["metadata"] = self._metadata
        data = self._content() if self._data is None else write(self._data, "the snapshot's data")
        about = write({**self._other, **other}, "what the snapshot says of itself")
        return SonoraFile(self.guild_id, self.timestamp, self.version, data, about)

    def __repr__(self) -> str:
        return (
            f"Snapshot({self.name!r} of guild {self.guild_id}, {self.created_at:%Y-%m-%d %H:%M:%S})"
        )


def _stem(path: StrPath) -> str:
    name = str(path).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[0] or name


def _torn(path: StrPath, error: SonoraError) -> Snapshot:
    return Snapshot._of_damage(0, _stem(path), error)
