"""How a session's state is taken and put back, whatever the session is."""

# Sessions have any shape.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import copy
import dataclasses
import decimal
import functools
import json
import sys
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

from .. import _dalsegno

__all__ = ["ALL", "GAME_FIELDS", "Fields", "Taken", "put_back", "read_quickly", "take"]

GAME_FIELDS = ("turn_count", "conversation_history", "active_agents", "metadata")
"""What a rollback restores if nothing else is asked for."""

ALL: Literal["all"] = "all"
"""Every field."""

Fields: TypeAlias = Iterable[str] | Literal["all"]


@dataclasses.dataclass(frozen=True)
class Taken:
    """A session's state, sharing nothing with it: a text, and copies of what has no exact form in JSON."""

    text: bytes
    copies: Mapping[str, Any]
    read: Callable[[bytes], Any] = json.loads

    def data(self, text: bytes) -> dict[str, Any]:
        """The state as a dict; `text` is its text."""
        data = cast("dict[str, Any]", self.read(text))
        for name, value in self.copies.items():
            data[name] = copy.deepcopy(value)
        return data


def take(session: object, fields: Fields) -> Taken:
    """The session's state. Of pydantic models and of what has a `model_dump` it is all that that gives; of others, the fields."""
    serializer = _serializer(type(session))
    if serializer is not None:
        # What JSON has no UTF-8 for, such as half a surrogate pair, goes the longer way.
        with contextlib.suppress(ValueError):
            return Taken(serializer.to_json(session), {}, read_quickly)
    dump = getattr(session, "model_dump", None)
    data = dump(mode="json") if callable(dump) else _fields_of(session, fields)
    if not isinstance(data, dict):
        raise TypeError(f"model_dump() of {type(session).__name__} gave no dict")
    whole = _dalsegno.exact_json(data)
    if whole is not None:
        return Taken(whole, {})
    texts: list[bytes] = []
    copies: dict[str, Any] = {}
    for name, value in data.items():
        text = _dalsegno.exact_json(value)
        if text is None or type(name) is not str:
            copies[name] = copy.deepcopy(value)
        else:
            texts.append(json.dumps(name).encode() + b":" + text)
    return Taken(b"{" + b",".join(texts) + b"}", copies)


def _serializer(session: type[Any]) -> Any:
    """Pydantic's own serializer, where the session's `model_dump` is pydantic's."""
    dump = getattr(session, "model_dump", None)
    if getattr(dump, "__module__", None) != "pydantic.main":
        return None
    return getattr(session, "__pydantic_serializer__", None)


def read_quickly(text: bytes) -> Any:
    """What pydantic's serializer, or the engine, wrote."""
    from_json = getattr(sys.modules.get("pydantic_core"), "from_json", None)
    if from_json is not None:
        # It is the quickest reader there is, and takes neither deep nesting nor the longest numbers.
        with contextlib.suppress(ValueError):
            return from_json(text, cache_strings="keys")
    return json.loads(text, parse_int=_int)


def _int(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        # Over 4,300 digits.
        return int(decimal.Decimal(digits))


def _fields_of(session: object, fields: Fields) -> dict[str, Any]:
    if isinstance(session, (dict, list, tuple, str, int, float, type(None), type)):
        kind = type(session).__name__
        raise TypeError(f"a session is an object with attributes, not a {kind}")
    if fields != ALL:
        found = ((name, getattr(session, name, _MISSING)) for name in fields)
        return {name: value for name, value in found if value is not _MISSING}
    if dataclasses.is_dataclass(session):
        return {field.name: getattr(session, field.name) for field in dataclasses.fields(session)}
    return {name: getattr(session, name) for name in _attributes(session)}


def _attributes(session: object) -> list[str]:
    """What is set in the object itself."""
    slots = (name for kind in type(session).__mro__ for name in _slots(kind))
    names = [*getattr(session, "__dict__", {}), *slots]
    return [name for name in names if hasattr(session, name)]


def _slots(kind: type) -> Iterable[str]:
    slots = kind.__dict__.get("__slots__", ())
    slots = (slots,) if isinstance(slots, str) else slots
    return (name for name in slots if name not in ("__dict__", "__weakref__"))


def put_back(session: Any, data: Any, fields: Fields) -> Callable[[], None]:
    """Sets the fields of the session from `data`, all or none. What it answers takes that back.

    Raises whatever keeps one of them from being set, a `KeyError` where `data` lacks it.
    """
    if not isinstance(data, dict):
        raise TypeError(f"the data of the snapshot is a {type(data).__name__}, not a dict")
    names = _all(session, data) if fields == ALL else list(fields)
    values = _typed(session, data, names, fields)
    before: list[tuple[str, Any]] = []

    def take_back() -> None:
        for name, value in reversed(before):
            _restore(session, name, value)

    try:
        for name in _added(session, data, fields):
            before.append((name, getattr(session, name)))
            delattr(session, name)
        for name, value in values.items():
            before.append((name, getattr(session, name, _MISSING)))
            setattr(session, name, value)
    except BaseException:
        take_back()
        raise
    return take_back


_MISSING = object()


def _all(session: Any, data: dict[str, Any]) -> list[str]:
    """Every field of the data that can be set; what a pydantic model only computes is not."""
    declared = getattr(type(session), "model_fields", None)
    if declared is None:
        return list(data)
    extra = getattr(session, "model_extra", None) is not None
    computed = getattr(type(session), "model_computed_fields", {})
    return [name for name in data if name in declared or (extra and name not in computed)]


def _added(session: Any, data: dict[str, Any], fields: Fields) -> list[str]:
    """The attributes that the session did not have then, where every field is to be as it was."""
    if fields != ALL or dataclasses.is_dataclass(session):
        return []
    if getattr(type(session), "model_fields", None) is None:
        names: Iterable[str] = _attributes(session)
    else:
        names = getattr(session, "model_extra", None) or ()
    return [name for name in names if name not in data]


def _restore(session: Any, name: str, value: Any) -> None:
    """Puts back what stood there, also where the session would not take it now."""
    try:
        if value is not _MISSING:
            setattr(session, name, value)
        elif hasattr(session, name):
            delattr(session, name)
    except Exception:  # noqa: BLE001
        # A check of the whole session may fail as long as only some fields are back.
        own = getattr(session, "__dict__", None)
        if own is not None and value is not _MISSING:
            own[name] = value


def _typed(session: Any, data: dict[str, Any], names: list[str], fields: Fields) -> dict[str, Any]:
    """The values to be set. Those of a pydantic session have their types again, where JSON has no word for them."""
    kind = type(session)
    values: dict[str, Any] = {}
    for name in names:
        if name not in data:
            if hasattr(session, name) or fields == ALL:
                raise KeyError(name)
            continue
        values[name] = value = data[name]
        if _serializer(kind) is not None and not _is_plain(cast(Hashable, kind), name):
            # Each by itself: another field may be what is broken.
            with contextlib.suppress(ValueError):
                values[name] = _type_of(cast(Hashable, kind), name).validate_json(json.dumps(value))
    return values


@functools.cache
def _type_of(session: Hashable, name: str) -> Any:
    """What reads the field of a pydantic model."""
    from pydantic import TypeAdapter

    field = cast(Any, session).model_fields[name]
    annotation = field.annotation
    for more in field.metadata:
        annotation = cast(Any, typing.Annotated[annotation, more])
    return TypeAdapter(annotation)


@functools.cache
def _is_plain(session: Hashable, name: str) -> bool:
    """Whether a field of a pydantic model has the same value in JSON."""
    field = getattr(session, "model_fields", {}).get(name)
    return field is None or _plain_type(field.annotation)


def _plain_type(annotation: Any) -> bool:
    if annotation in (Any, object, None, type(None), str, int, bool, list, dict):
        return True
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return arguments[0] in (str, Any) and _plain_type(arguments[1])
    if origin in (list, typing.Union, types.UnionType):
        return all(_plain_type(argument) for argument in arguments)
    return origin is Literal and all(type(value) in (str, int, bool) for value in arguments)
