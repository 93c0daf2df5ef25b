"""Other programs that the tests start, and talk to line by line."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

PATIENCE = 120
"""Nothing here takes so many seconds; what does hangs."""

HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""What a shell runs in the background ignores Ctrl-C, and so does what that starts."""


class Child:
    """A program that is running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def says(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line.endswith("\n"):
            return line[:-1]
        assert self.process.stderr is not None
        raise AssertionError(f"it ended: {line!r}, and {self.process.stderr.read()}")

    def tell(self, line: str = "") -> None:
        """Gives it a line to read."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ends(self) -> tuple[int, str, str]:
        """Waits for its end: how it ended, and what else it said and complained about."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        hangs = threading.Timer(PATIENCE, self.process.kill)
        hangs.start()
        try:
            # Not `communicate`, which passes over what was read ahead.
            out, complaints = self.process.stdout.read(), self.process.stderr.read()
            return self.process.wait(), out, complaints
        finally:
            hangs.cancel()


@contextlib.contextmanager
def child(program: str, *arguments: str | Path) -> Generator[Child]:
    """Runs a program in Python, and makes sure that it is gone at the end."""
    # From 3.12 on, every fork of a program with threads is warned of.
    quiet = ("-W", "ignore::DeprecationWarning")
    command = [sys.executable, *quiet, "-c", HEARS + program, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Child(process)
        finally:
            process.kill()
