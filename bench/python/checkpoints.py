"""Saves states one after the other, each in both ways, and says what each took.

Usage: checkpoints.py STATES.jsonl FOLDER

`langgraph-checkpoint-sqlite` saves each state as a checkpoint of one thread (`SqliteSaver.put`), and
Dalsegno as a snapshot of one session (`Engine.save`). Both get the same dicts, and both have them
on the disk when they return. They take turns of 24 saves, so that whatever the machine does meanwhile meets both, and
few syncs of one have to wait for what the other has written. The
sizes are those of all files, after both were closed. One line of JSON with the outcome goes to standard output.
"""

import gc
import json
import sqlite3
import statistics
import sys
import time
from pathlib import Path

import dalsegno
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver


TURN = 24
"""Saves in a row of one way."""


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def grown(before: dict, state: dict) -> dict:
    """The state, with the messages that were there before: a program appends to its chat, and reads no new one."""
    old = before.get("messages", [])
    messages = state["messages"]
    for index, (was, message) in enumerate(zip(old, messages)):
        if was == message:
            messages[index] = was
    return state


def main() -> None:
    source, folder = sys.argv[1], Path(sys.argv[2])
    states = []
    with open(source, encoding="utf-8") as lines:
        for line in lines:
            states.append(grown(states[-1] if states else {}, json.loads(line)))
    graph, ours = folder / "langgraph", folder / "dalsegno"
    graph.mkdir()
    connection = sqlite3.connect(graph / "checkpoints.db", check_same_thread=False)
    saver = SqliteSaver(connection)
    saver.setup()
    engine = dalsegno.open(ours)
    thread = {"configurable": {"thread_id": "chat/1", "checkpoint_ns": ""}}

    def put(state: dict) -> None:
        nonlocal thread
        checkpoint = {**empty_checkpoint(), "channel_values": state}
        thread = saver.put(thread, checkpoint, {"source": "loop", "step": 1, "parents": {}}, {})

    def save(state: dict) -> None:
        engine.save("chat/1", state)

    def submit_and_wait_later(state: dict) -> None:
        tickets.append(other.submit("chat/1", state))

    ways = {"langgraph": put, "dalsegno": save}
    took = {name: {"wall": [], "cpu": []} for name in ways}
    gc.disable()
    for turn, start in enumerate(range(0, len(states), TURN)):
        for name in sorted(ways, reverse=turn % 2 == 1):
            for state in states[start : start + TURN]:
                wall, cpu = time.perf_counter(), time.process_time()
                ways[name](state)
                took[name]["wall"].append(time.perf_counter() - wall)
                took[name]["cpu"].append(time.process_time() - cpu)
    gc.enable()

    # Both have what they were given.
    assert saver.get_tuple(thread).checkpoint["channel_values"] == states[-1]
    assert engine.restore("chat/1@latest") == states[-1]
    assert len(list(engine.list("chat/1"))) == len(states)
    connection.close()
    wall = time.perf_counter()
    engine.close()
    closing = time.perf_counter() - wall

    # And without waiting for the disk each time.
    tickets: list[dalsegno.Ticket] = []
    other = dalsegno.open(folder / "submitted")
    wall = time.perf_counter()
    for state in states:
        submit_and_wait_later(state)
    for ticket in tickets:
        ticket.result()
    together = time.perf_counter() - wall
    other.close()

    outcome = {
        name: {
            "wall_ms": statistics.median(times["wall"]) * 1e3,
            "mean_ms": statistics.fmean(times["wall"]) * 1e3,
            "cpu_ms": statistics.fmean(times["cpu"]) * 1e3,
            "bytes": size(folder / name),
        }
        for name, times in took.items()
    }
    outcome["closing_ms"] = closing * 1e3
    outcome["submitted_ms"] = together * 1e3 / len(states)
    outcome["text_bytes"] = sum(
        len(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode())
        for state in states
    )
    print(json.dumps(outcome))


main()
