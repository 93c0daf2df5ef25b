"""JSON between Python and what is written in Rust."""

from __future__ import annotations

import json
from typing import Any

from .errors import InvalidInputError

__all__ = ["read", "write"]


def write(value: object, what: str) -> bytes:
    """The JSON text of a value, which `what` names."""
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what} cannot be written as JSON: {error}") from error


def read(text: bytes) -> Any:
    """What a JSON text says."""
    return json.loads(text)
