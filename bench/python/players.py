"""Captures many players as py-sonora does: `create_snapshot` and `save_snapshot` of each.

Usage: players.py STATES.jsonl FOLDER PLAYERS ROUNDS

The states are those of players of the workload; players take them in turn. Between rounds every player changes, as the
other side's do. Only the calls are measured. One line of JSON goes to standard output.
"""

import gc
import json
import statistics
import sys
import time
from pathlib import Path

from sonora.player import Player
from sonora.snapshot import SnapshotManager
from sonora.track import Track


def track(found: dict) -> Track:
    return Track(track=found["encoded"], info=found["info"])


def main() -> None:
    source, folder, count, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with open(source, encoding="utf-8") as lines:
        states = [json.loads(line) for line in lines]
    players = []
    for guild in range(count):
        queue = states[guild % len(states)]["queue"]
        player = Player(guild, None)
        player.queue._upcoming.extend(track(found) for found in queue["upcoming"])
        player.queue._history.extend(track(found) for found in queue["history"])
        player.queue._current = track(queue["current"])
        players.append(player)
    manager = SnapshotManager(str(folder / "snapshots"))
    took: dict[str, list[float]] = {"create_wall": [], "create_cpu": [], "wall": [], "cpu": []}
    gc.collect()
    for number in range(rounds):
        for player in players:
            player.volume = number
        wall, cpu = time.perf_counter(), time.process_time()
        snapshots = [manager.create_snapshot(player) for player in players]
        took["create_wall"].append(time.perf_counter() - wall)
        took["create_cpu"].append(time.process_time() - cpu)
        for snapshot in snapshots:
            manager.save_snapshot(snapshot)
        took["wall"].append(time.perf_counter() - wall)
        took["cpu"].append(time.process_time() - cpu)
        # Of snapshots of the same second, the later one takes the file of the earlier one.
        time.sleep(1)
    outcome = {name: statistics.median(times) for name, times in took.items()}
    print(json.dumps(outcome))


main()
