"""Writes one JSON file per session and says how long that took.

Usage: json_dump.py STATES.jsonl FOLDER SESSIONS plain|synced|indented

The states are read and parsed before the clock starts; only `json.dumps`, `open`, `write` (and
`fsync`) are measured. One line of JSON with the outcome goes to standard output.
"""

import json
import os
import sys
import time


def main() -> None:
    source, folder, sessions, style = sys.argv[1:5]
    with open(source, encoding="utf-8") as lines:
        states = [json.loads(line) for line in lines]
    indent = 2 if style == "indented" else None
    written = 0
    wall, cpu = time.perf_counter(), time.process_time()
    for index in range(int(sessions)):
        text = json.dumps(states[index % len(states)], indent=indent)
        with open(os.path.join(folder, f"{index:06}.json"), "w", encoding="utf-8") as file:
            file.write(text)
            if style == "synced":
                file.flush()
                os.fsync(file.fileno())
        written += len(text)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    outcome = {"sessions": int(sessions), "wall_s": wall, "cpu_s": cpu, "bytes": written}
    print(json.dumps(outcome))


main()
