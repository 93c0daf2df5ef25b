"""JSON between Python and what is written in Rust."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .errors import InvalidInputError

__all__ = ["items", "members", "read", "write"]


def write(value: object, what: str) -> bytes:
    """The JSON text of a value, which `what` names."""
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what} cannot be written as JSON: {error}") from error


def read(text: bytes) -> Any:
    """What a JSON text says."""
    return json.loads(text)


def members(value: object) -> dict[str, Any]:
    """The members of an object; none of anything else."""
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else {}


def items(value: object) -> list[Any]:
    """The items of a list; none of anything else."""
    return list(cast("Sequence[Any]", value)) if isinstance(value, list) else []
