"""The answers have the shapes that type checkers are told, member for member and in order."""

# Values here have any shape.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import importlib.metadata
import inspect
import types
import typing
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NotRequired

import pytest

import dalsegno
from dalsegno import Engine, aio, results, sonora


def fits(value: Any, shape: Any, path: str) -> None:
    """Fails where the value does not have exactly that shape."""
    origin = typing.get_origin(shape)
    arguments = typing.get_args(shape)
    if shape is Any:
        return
    if origin is NotRequired:
        fits(value, arguments[0], path)
    elif origin in (types.UnionType, typing.Union):
        if typing.is_typeddict(arguments[0]) and all(map(typing.is_typeddict, arguments)):
            (shape,) = (
                a for a in arguments if value["entry"] in typing.get_args(hints(a)["entry"])
            )
            fits(value, shape, path)
        elif value is None:
            assert type(None) in arguments, path
        else:
            fits(value, next(a for a in arguments if a is not type(None)), path)
    elif origin is Literal:
        assert value in arguments, path
    elif origin is list:
        assert type(value) is list, path
        for item in value:
            fits(item, arguments[0], f"{path}[]")
    elif origin is dict:
        assert type(value) is dict, path
        for key, member in value.items():
            fits(key, arguments[0], path)
            fits(member, arguments[1], f"{path}.{key}")
    elif typing.is_typeddict(shape):
        assert type(value) is dict, path
        all_members = hints(shape)
        required = shape.__required_keys__
        expected = [key for key in all_members if key in value or key in required]
        assert list(value) == expected, path
        for key, member in value.items():
            fits(member, all_members[key], f"{path}.{key}")
    else:
        assert type(value) is shape, f"{path} is {type(value)}, not {shape}"


def hints(shape: Any) -> dict[str, Any]:
    return typing.get_type_hints(shape, include_extras=True)


def check(value: Any, shape: Any) -> None:
    fits(value, shape, getattr(shape, "__name__", str(shape)))


def test_every_answer(engine: Engine, tmp_path: Path) -> None:
    first = engine.save(
        "s", {"n": 1, "l": [{"id": 1, "x": 1}]}, name="a", tags="t", metadata={"m": 1}
    )
    second = engine.save("s", {"n": 2, "l": [{"id": 2}, {"id": 1, "x": 2}], "new": 1})
    check(first, results.Snapshot)
    check(engine.page(), results.Page)
    check(engine.diff(first, second), results.Diff)
    check(engine.rollback("s", dry_run=True), results.Plan)
    check(engine.rollback("s"), results.Report)
    path = tmp_path / "live.json"
    path.write_text("torn")
    report = engine.put_back(first, path=path)
    check(report, results.Report)
    check(engine.undo("s"), results.Report)
    check(engine.log("s"), list[results.LogEntry])
    check(engine.info("s@latest"), results.Snapshot)
    check(engine.verify(), results.Verification)
    check(engine.stats(), results.Stats)
    check(engine.stats("s"), results.Stats)
    check(engine.doctor(), results.Diagnosis)
    rules: dict[str, Any] = {"keep_hourly": 1, "keep_daily": 1, "keep_weekly": 1}
    plan = engine.cleanup(older_than="1d", keep_monthly=1, **rules, dry_run=True)
    check(plan, results.CleanupPlan)
    check(engine.cleanup(keep_last=1, tag="t", dry_run=True), results.CleanupPlan)
    check(engine.delete(first), list[results.Snapshot])
    check(engine.trash(), list[results.Trashed])
    check(engine.purge(everything=True), results.Purged)
    check(engine.cleanup(keep_last=1), results.Cleaned)
    engine.set_policy("s", keep_last=3, kind="auto", tag="x", older_than="1d", grace="2d")
    check(engine.policies(), list[results.Policy])
    engine.export(tmp_path / "all.json")
    with dalsegno.open(tmp_path / "other.db") as other:
        check(other.import_(tmp_path / "all.json"), results.Imported)
    engine.audit_on()
    engine.save("s", {"n": 3})
    check(engine.audit_check(), results.AuditCheck)
    token = engine.add_principal("admin", "all=**")
    with dalsegno.open(engine.path, token=token) as admin:
        check(admin.principals(), list[results.Principal])
        check(admin.audit_log(), results.AuditPage)


def test_every_action_is_named(engine: Engine) -> None:
    wrong: Any = "fly"
    with pytest.raises(dalsegno.InvalidInputError) as refused:
        engine.audit_log(actions=wrong)
    named = str(refused.value).removeprefix("'fly' is no action; there are ").split(", ")
    assert named == list(typing.get_args(results.Action))
    with pytest.raises(dalsegno.InvalidInputError) as refused:
        engine.audit_log(outcome=wrong)
    named = str(refused.value).removeprefix("'fly' is no outcome; there are ").split(", ")
    assert named == list(typing.get_args(results.Outcome))


def test_times_are_what_they_say(engine: Engine) -> None:
    saved = engine.save("s", {})
    assert type(saved["created_at"]) is datetime
    assert type(engine.stats("s")["days"][0]["date"]) is date


def test_everything_public_has_a_docstring() -> None:
    for module in (dalsegno, dalsegno.errors, dalsegno.events, results, aio, sonora, sonora.errors):
        assert module.__doc__
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                assert thing.__doc__, name
    for of in (
        *(Engine, aio.AsyncEngine, dalsegno.Ticket, aio.AsyncTicket),
        *(dalsegno.Session, aio.AsyncSession, dalsegno.events.Subscription, aio.AsyncSubscription),
        *(dalsegno.events.Follower, aio.AsyncFollower),
        *(dalsegno.Attending, aio.AsyncAttending, dalsegno.Attendant, dalsegno.Request),
    ):
        for name, verb in inspect.getmembers(of, callable):
            if not name.startswith("_"):
                assert verb.__doc__, f"{of.__name__}.{name}"
                kinds = [p.kind for p in inspect.signature(verb).parameters.values()]
                optional = [
                    p
                    for p in inspect.signature(verb).parameters.values()
                    if p.default is not p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
                ]
                # Options are keyword-only; a session, a timeout or what it is about may come first.
                first = ("session", "sources", "timeout", "count", "arguments", "attendant", "head")
                assert [p.name for p in optional] in ([], *([one] for one in first)), name
                assert kinds


def test_players_and_their_snapshots_are_documented() -> None:
    for name in sonora.__all__:
        of = getattr(sonora, name)
        if not inspect.isclass(of) or issubclass(of, Exception):
            continue
        for member in vars(of):
            thing = inspect.getattr_static(of, member)
            told = isinstance(thing, (property, classmethod)) or inspect.isfunction(thing)
            if told and not member.startswith("_"):
                assert thing.__doc__, f"{name}.{member}"


def test_the_version_is_the_crates() -> None:
    assert dalsegno.__version__ == importlib.metadata.version("dalsegno")
