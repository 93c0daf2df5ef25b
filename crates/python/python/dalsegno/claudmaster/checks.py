"""What tells a sound state from a broken one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["Check", "Required", "why_broken"]

Required: TypeAlias = Mapping[str, type | tuple[type, ...]]
"""The fields a session must have, and their types."""

Check: TypeAlias = Callable[[Any], object] | Required
"""A function that is given the session and answers False, answers a text that says what is wrong, or raises, where the
session is broken; None or True where it is sound. Or the fields that are required."""


def why_broken(check: Check, session: object) -> str | None:
    """What is wrong with the session; None where it is sound."""
    if not callable(check):
        wrong = [_wrong(session, name, kind) for name, kind in check.items()]
        return "; ".join(found for found in wrong if found) or None
    try:
        found = check(session)
    except Exception as error:  # noqa: BLE001, what it raises is what is wrong
        return f"{type(error).__name__}: {error}"
    if isinstance(found, str):
        return found or None
    return "the check does not hold" if found is False else None


def _wrong(session: object, name: str, kind: type | tuple[type, ...]) -> str | None:
    if not hasattr(session, name):
        return f"{name} is missing"
    value = getattr(session, name)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    # True is an int for Python, and for nobody else.
    if isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds):
        return None
    wanted = " or ".join(kind.__name__ for kind in kinds)
    return f"{name} is a {type(value).__name__}, not a {wanted}"
