"""What differs between two JSON values, as JSON, from which the second is made of the first again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ._text import items

__all__ = ["applied", "change", "text"]


def text(value: object) -> str:
    """The JSON text of a value, members in order: of equal values the same, and of 1, 1.0 and true another."""
    return json.dumps(value, sort_keys=True, allow_nan=False)


def change(before: Any, after: Any) -> dict[str, Any]:
    """What makes `after` of `before`: nothing, a new `value`, some `members`, or a list's `pieces`."""
    if _are(dict, before, after):
        inside = {
            key: change(before[key], value) if key in before else {"value": value}
            for key, value in after.items()
        }
        members = {key: found for key, found in inside.items() if found}
        removed = [key for key in before if key not in after]
        return {"members": members, "removed": removed} if members or removed else {}
    if text(before) == text(after):
        return {}
    if _are(list, before, after):
        return {"pieces": _pieces(before, after)}
    return {"value": after}


def _are(kind: type, *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)


def _pieces(before: list[Any], after: list[Any]) -> list[Any]:
    """`[first, count]` of what was there, and `{"items": …}` of what was not; in time that grows with both lists."""
    old = [text(item) for item in before]
    places: dict[str, int] = {}
    for place, written in enumerate(old):
        places.setdefault(written, place)
    pieces: list[Any] = []
    # Where the next item is, if the piece goes on.
    follows = -1
    for item in after:
        written = text(item)
        if 0 <= follows < len(old) and old[follows] == written:
            pieces[-1][1] += 1
            follows += 1
        elif written in places:
            pieces.append([places[written], 1])
            follows = places[written] + 1
        else:
            if not pieces or follows >= 0:
                pieces.append({"items": []})
            pieces[-1]["items"].append(item)
            follows = -1
    return pieces


def applied(before: Any, made: Mapping[str, Any]) -> Any:
    """What `change` was made for. Raises any of `LookupError`, `TypeError`, `ValueError`, `AttributeError` where it is none."""
    if not made:
        return before
    if "value" in made:
        return made["value"]
    if "pieces" in made:
        whole: list[Any] = []
        for piece in made["pieces"]:
            if place := items(piece):
                first, count = place
                whole += before[first : first + count]
            else:
                whole += piece["items"]
        return whole
    removed = set(made["removed"])
    members = {key: value for key, value in before.items() if key not in removed}
    for key, inside in made["members"].items():
        members[key] = applied(members.get(key), inside)
    return members
