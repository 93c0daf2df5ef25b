"""Counts the messages of every session file of a folder and says how long that took.

Usage: json_loads.py FOLDER

Each file is read and parsed whole, as a program does that has only the standard library. One line of
JSON with the outcome goes to standard output.
"""

import json
import pathlib
import sys
import time


def main() -> None:
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    messages = 0
    wall, cpu = time.perf_counter(), time.process_time()
    for path in paths:
        session = json.loads(path.read_text(encoding="utf-8"))
        messages += len(session["messages"])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"files": len(paths), "messages": messages, "wall_s": wall, "cpu_s": cpu}))


main()
