"""Repairing what is damaged, to be awaited."""

from __future__ import annotations

from ..engine import Engine
from .base import Twin, awaited

__all__ = ["AsyncRepairing"]


class AsyncRepairing(Twin):
    """Verbs that repair."""

    __slots__ = ()

    repair = awaited(Engine.repair)
