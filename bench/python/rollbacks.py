"""Takes snapshots of a running game and rolls it back, in both ways, and says what each took.

Usage: rollbacks.py STATES.jsonl ROUNDS

Each line is the state of a game of another length. The original's way is `model_dump(mode="json")` and `copy.deepcopy`
for a snapshot, and `copy.deepcopy` of the four fields for a rollback; ours is `dalsegno.claudmaster.StateRollbackManager`. Both
work on pydantic models of the same state, and keep ten snapshots. Each has processes of its own, as it has in a program: one that
shares them would work among the other's objects. They take turns, process by process. Between two snapshots a turn is
played, which does not count; nothing is logged. One line of JSON with the medians of CPU time goes to standard output.
"""

import copy
import json
import logging
import multiprocessing
import statistics
import sys
import time
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from dalsegno.claudmaster import GAME_FIELDS, StateRollbackManager


TURNS = 3
"""How often each way has a process."""


class Session(BaseModel):
    session_id: str
    campaign_id: str
    config: dict[str, Any]
    started_at: datetime
    turn_count: int
    conversation_history: list[dict[str, Any]]
    active_agents: dict[str, str]
    metadata: dict[str, Any]

    def play(self) -> None:
        self.turn_count += 1
        self.conversation_history.append({"role": "player", "content": f"turn {self.turn_count}"})
        self.metadata["last"] = self.turn_count


class Original:
    """The way of the original."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.snapshots: list[dict[str, Any]] = []

    def create_snapshot(self) -> None:
        self.snapshots.append(copy.deepcopy(self.session.model_dump(mode="json")))
        self.snapshots = self.snapshots[-10:]

    def rollback_last(self) -> None:
        for name in GAME_FIELDS:
            setattr(self.session, name, copy.deepcopy(self.snapshots[-1][name]))


def measure(way: Any, line: str, rounds: int) -> tuple[dict[str, list[float]], str, int]:
    """Times in microseconds, what the session is at the end, and the memory of Dalsegno's snapshots."""
    logging.disable()
    manager = way(Session.model_validate_json(line))
    times: dict[str, list[float]] = {"snapshot": [], "rollback": []}
    for _ in range(rounds):
        manager.session.play()
        for what, work in (
            ("snapshot", manager.create_snapshot),
            ("rollback", manager.rollback_last),
        ):
            start = time.process_time()
            work()
            times[what].append((time.process_time() - start) * 1e6)
    held = 0 if isinstance(manager, Original) else manager.bytes_held()
    return times, manager.session.model_dump_json(), held


def compare(line: str, rounds: int) -> dict[str, Any]:
    of: dict[Any, dict[str, list[float]]] = {}
    ends: set[str] = set()
    held_bytes = 0
    # A process for each turn.
    processes = multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1)
    for way in [Original, StateRollbackManager] * TURNS:
        times, end, held = processes.apply(measure, (way, line, rounds))
        ends.add(end)
        held_bytes = max(held_bytes, held)
        for what, more in times.items():
            of.setdefault(way, {}).setdefault(what, []).extend(more)
    processes.close()
    # All went back to the same.
    assert len(ends) == 1
    medians = {
        way: {what: statistics.median(times) for what, times in each.items()}
        for way, each in of.items()
    }
    return {
        "entries": len(json.loads(line)["conversation_history"]),
        "original": medians[Original],
        "dalsegno": medians[StateRollbackManager],
        "held_bytes": held_bytes,
    }


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as lines:
        states = list(lines)
    rounds = int(sys.argv[2])
    outcome = []
    for line in states:
        entries = len(json.loads(line)["conversation_history"])
        outcome.append(compare(line, max(5, rounds * 5000 // max(entries, 5000))))
    print(json.dumps(outcome))


main()
