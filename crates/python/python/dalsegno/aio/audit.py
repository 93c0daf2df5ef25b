"""What was done, by whom, to be awaited."""

from __future__ import annotations

from ..engine import Engine
from .base import Twin, awaited

__all__ = ["AsyncAuditing"]


class AsyncAuditing(Twin):
    """Verbs of the audit log."""

    __slots__ = ()

    audit_on = awaited(Engine.audit_on)
    audit_off = awaited(Engine.audit_off)
    is_audited = awaited(Engine.is_audited)
    audit_log = awaited(Engine.audit_log)
    audit_head = awaited(Engine.audit_head)
    audit_check = awaited(Engine.audit_check)
