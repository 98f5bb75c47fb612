"""What a command prints that goes on."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

from tests.ray.conftest import LONG, OnRay

Lines = Queue[str | None]  # None: it has ended


@contextmanager
def lines_of(stack: OnRay, *words: str) -> Iterator[Lines]:
    """The lines that a command prints while the block runs."""
    process = stack.popen(*words, "--on", stack.nodes.address, stderr=subprocess.STDOUT)
    found: Lines = Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            found.put(line.rstrip("\n"))
        found.put(None)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(LONG)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            thread.join()


def until(lines: Lines, *parts: str) -> str:
    """The first line with all of these."""
    before = []
    while (line := lines.get(timeout=LONG)) is not None:
        if all(part in line for part in parts):
            return line
        before.append(line)
    raise AssertionError(f"it ended before it said {parts}: {before[-20:]}")
