"""Takes snapshots of a running game and rolls it back, in one of two ways, and says what each took.

Usage: rollbacks.py original|dalsegno STATE.json ROUNDS

The original's way is `model_dump(mode="json")` and `copy.deepcopy` for a snapshot, and `copy.deepcopy` of the four fields for
a rollback; ours is `dalsegno.claudmaster.StateRollbackManager`. Both work on a pydantic model and keep ten snapshots. A process
does one of them, as in a program: otherwise one would work among the other's objects. Between two snapshots a turn is
played, which does not count; nothing is logged. One line of JSON with the CPU times in microseconds, what the session is at the
end and the memory of Dalsegno's snapshots goes to standard output.
"""

import copy
import json
import logging
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


def main() -> None:
    way, path, rounds = sys.argv[1:]
    logging.disable()
    with open(path, encoding="utf-8") as state:
        session = Session.model_validate_json(state.read())
    manager: Any = Original(session) if way == "original" else StateRollbackManager(session)
    times: dict[str, list[float]] = {"snapshot": [], "rollback": []}
    for _ in range(int(rounds)):
        session.play()
        for what, work in (
            ("snapshot", manager.create_snapshot),
            ("rollback", manager.rollback_last),
        ):
            start = time.process_time()
            work()
            times[what].append((time.process_time() - start) * 1e6)
    held = 0 if way == "original" else manager.bytes_held()
    print(json.dumps({**times, "end": session.model_dump_json(), "held_bytes": held}))


main()
