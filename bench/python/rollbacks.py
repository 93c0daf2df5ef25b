"""Takes snapshots of a running game and rolls it back, in both ways, and says what each took.

Usage: rollbacks.py STATES.jsonl ROUNDS

Each line is the state of a game of another length. The original's way is `model_dump(mode="json")` and `copy.deepcopy`
for a snapshot, and `copy.deepcopy` of the four fields for a rollback; ours is `dalsegno.claudmaster.StateRollbackManager`. Both
work on pydantic models of the same state, keep ten snapshots, and take turns; between two snapshots a turn is played, which
does not count; nothing is logged. One line of JSON with the medians of CPU time goes to standard output.
"""

import copy
import gc
import json
import logging
import statistics
import sys
import time
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from dalsegno.claudmaster import GAME_FIELDS, StateRollbackManager


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


def measure(state: dict[str, Any], rounds: int) -> dict[str, Any]:
    managers: list[Any] = [
        Original(Session.model_validate(state)),
        StateRollbackManager(Session.model_validate(state)),
    ]
    took: list[dict[str, list[float]]] = [{"snapshot": [], "rollback": []} for _ in managers]
    for _ in range(rounds):
        for manager, times in zip(managers, took):
            manager.session.play()
            for what, work in (
                ("snapshot", manager.create_snapshot),
                ("rollback", manager.rollback_last),
            ):
                start = time.process_time()
                work()
                times[what].append((time.process_time() - start) * 1e6)
    # Both went back to the same.
    first, second = (manager.session.model_dump() for manager in managers)
    assert first == second
    of = [{what: statistics.median(times) for what, times in each.items()} for each in took]
    return {
        "entries": len(state["conversation_history"]),
        "original": of[0],
        "dalsegno": of[1],
        "held_bytes": managers[1].bytes_held(),
    }


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as lines:
        states = [json.loads(line) for line in lines]
    rounds = int(sys.argv[2])
    logging.disable()
    outcome = []
    for state in states:
        gc.collect()
        outcome.append(measure(state, max(5, rounds * 5000 // max(len(state["conversation_history"]), 5000))))
    print(json.dumps(outcome))


main()
