"""Who may do what, to be awaited."""

from __future__ import annotations

from ..engine import Engine
from .base import Twin, awaited

__all__ = ["AsyncAdmitting"]


class AsyncAdmitting(Twin):
    """Verbs of access control."""

    __slots__ = ()

    principals = awaited(Engine.principals)
    add_principal = awaited(Engine.add_principal)
    set_rules = awaited(Engine.set_rules)
    new_token = awaited(Engine.new_token)
    remove_principal = awaited(Engine.remove_principal)
    reset_access = awaited(Engine.reset_access)
    has_principals = awaited(Engine.has_principals)
