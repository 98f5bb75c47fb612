"""A pool of workers that each need a second for a piece of work; ends when asked to, once all of it is done."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path


def work(number: int) -> int:
    Path(sys.argv[1], f"begun-{number}").touch()
    time.sleep(0.5)
    return number


def main() -> None:
    stop: list[int] = []
    with multiprocessing.get_context("fork").Pool(2) as pool:
        signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))  # of the main process: workers keep theirs
        result = pool.map_async(work, range(2))
        print("at work", os.getpid(), flush=True)
        done = result.get()  # never comes if a worker was killed in its middle
        while not stop:
            signal.pause()
        print("all done", done, flush=True)
        Path(sys.argv[1], "ended").write_text("well")


main()
