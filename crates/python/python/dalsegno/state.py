"""From the values of a program to JSON text, and back.

What JSON has no word for is refused with the place where it stands; nothing is changed silently.
"""

# Values here have any shape.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ._dalsegno import Text, dumps
from .errors import InvalidInputError

__all__ = ["build", "from_text", "to_text"]

T = TypeVar("T")

Default = Callable[[Any], Any]


def to_text(state: object, default: Default | None = None) -> Text | bytes:
    """The state as compact JSON.

    A pydantic model is asked for its own JSON; dataclasses become objects of their fields, wherever they
    stand. `default` is asked for what JSON has no word for, as in `json.dumps`.
    """
    dump = getattr(type(state), "model_dump_json", None)
    if dump is not None:
        try:
            return cast("str", dump(state)).encode()
        except ValueError as error:
            raise InvalidInputError(f"the model cannot be written as JSON: {error}") from error
    return dumps(state, _other if default is None else functools.partial(_other, default=default))


def _other(value: object, default: Default | None = None) -> object:
    """What to write in the place of what JSON has no word for."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    dump = getattr(type(value), "model_dump", None)
    if dump is not None:
        return dump(value, mode="json")
    if default is not None:
        return default(value)
    raise TypeError(
        f"{type(value).__name__} has no form in JSON; make it a string, a number, a list or a dict, "
        "or tell how with default="
    )


def from_text(text: bytes) -> Any:
    """The state as Python's `json` has it."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError) as error:
        # Deep nesting, or a number of thousands of digits.
        raise InvalidInputError(
            f"Python's json cannot read this state ({error}); restore_text gives its bytes"
        ) from error


def build(into: Any, text: bytes) -> Any:
    """The state as `into`: a pydantic model or `TypeAdapter`, a dataclass, or any type of these."""
    for name in ("model_validate_json", "validate_json"):
        read = getattr(into, name, None)
        if read is not None:
            try:
                return read(text)
            except ValueError as error:
                raise InvalidInputError(
                    f"the state does not have the shape asked for: {error}"
                ) from error
    return _fill(into, from_text(text), "")


def _step(path: str, key: str) -> str:
    if key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"


def _mismatch(path: str, what: str) -> InvalidInputError:
    where = f"at {path}" if path else "the state"
    return InvalidInputError(f"the state does not have the shape asked for: {where} {what}")


def _fill(into: Any, value: Any, path: str) -> Any:
    if into is Any or into is object:
        return value
    origin = typing.get_origin(into)
    if origin is typing.Annotated:
        return _fill(typing.get_args(into)[0], value, path)
    if origin is typing.Union or origin is types.UnionType:
        return _fill_any(into, value, path)
    if origin is typing.Literal:
        if value not in typing.get_args(into):
            raise _mismatch(path, f"is {value!r}, not one of {typing.get_args(into)!r}")
        return value
    if dataclasses.is_dataclass(into) and isinstance(into, type):
        return _fill_dataclass(into, value, path)
    validate = getattr(into, "model_validate", None)
    if validate is not None:
        try:
            return validate(value)
        except ValueError as error:
            raise _mismatch(path, f"does not fit: {error}") from error
    if isinstance(into, type) and issubclass(into, enum.Enum):
        try:
            return into(value)
        except ValueError as error:
            raise _mismatch(path, str(error)) from error
    return _fill_plain(into, origin or into, value, path)


def _fill_any(into: Any, value: Any, path: str) -> Any:
    choices = typing.get_args(into)
    if value is None and type(None) in choices:
        return None
    refused: InvalidInputError | None = None
    for choice in choices:
        if choice is type(None):
            continue
        try:
            return _fill(choice, value, path)
        except InvalidInputError as error:
            refused = refused or error
    raise refused or _mismatch(path, "is not None")


def _fill_dataclass(into: type[Any], value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(path, f"is a {type(value).__name__}, not the fields of {into.__name__}")
    hints = typing.get_type_hints(into, include_extras=True)
    given = dict(cast("dict[str, Any]", value))
    made: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for field in dataclasses.fields(into):
        if field.name not in given:
            missing = field.default is dataclasses.MISSING
            if field.init and missing and field.default_factory is dataclasses.MISSING:
                raise _mismatch(_step(path, field.name), f"is missing, which {into.__name__} needs")
            continue
        filled = _fill(hints[field.name], given.pop(field.name), _step(path, field.name))
        (made if field.init else later)[field.name] = filled
    if given:
        more = ", ".join(sorted(given))
        raise _mismatch(path, f"has members that {into.__name__} has no fields for: {more}")
    built = into(**made)
    for name, filled in later.items():
        object.__setattr__(built, name, filled)
    return built


def _fill_plain(into: Any, kind: Any, value: Any, path: str) -> Any:
    arguments = typing.get_args(into)
    if kind is tuple and isinstance(value, list):
        if not arguments:
            return tuple(value)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            arguments = (arguments[0],) * len(value)
        if len(arguments) != len(value):
            raise _mismatch(path, f"has {len(value)} items, not {len(arguments)}")
        pairs = enumerate(zip(arguments, value, strict=True))
        return tuple(_fill(of, item, f"{path}[{index}]") for index, (of, item) in pairs)
    if kind in (set, frozenset) and isinstance(value, list):
        of = arguments[0] if arguments else Any
        return kind(_fill(of, item, f"{path}[{index}]") for index, item in enumerate(value))
    if isinstance(value, list) and arguments and issubclass(list, kind):
        return [_fill(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict) and len(arguments) == 2 and issubclass(dict, kind):
        return {
            _fill_key(arguments[0], key, path): _fill(arguments[1], member, _step(path, key))
            for key, member in value.items()
        }
    if not isinstance(kind, type):
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) and kind is int or not isinstance(value, kind):
        raise _mismatch(path, f"is a {type(value).__name__}, not a {kind.__name__}")
    return value


def _fill_key(into: Any, key: str, path: str) -> Any:
    """Keys that were numbers are strings in JSON."""
    if into in (int, float):
        try:
            return into(key)
        except ValueError as error:
            raise _mismatch(path, f"has the key {key!r}, which is no {into.__name__}") from error
    return key
