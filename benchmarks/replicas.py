"""Counts how connections are spread over the replicas of a service, and what becomes of them while one is replaced.

    python -m benchmarks.replicas [--connections N]

Four replicas of a C program that ends between two clients, of root with a queue for each, and of an ordinary user with
one queue for all.  Sixteen clients connect one time after the other, N times in all.  Then all replicas are replaced by
`restart --rolling`, several times, while they go on.
"""

import argparse
import contextlib
import os
import shutil
import socket
import sys
import threading
from collections import Counter
from pathlib import Path

from benchmarks import processes, tools
from benchmarks.contestants import FIRST_PORT, Portsup, Workload, running
from benchmarks.figures import machine, verdict
from supervisor.control.client import Client
from tests.live.test_handoff import AS_NOBODY, python_of_nobody
from tests.support.caller import caller

REPLICAS = 4
CROWD = 16  # clients that connect at once
NAME = f"s{FIRST_PORT}"
WITHIN = 30.0  # seconds until a client must be answered
ROLLS = 10
WORK = Workload(1, "workers", environment={"WORKERS": "1"})


class Replicated(Portsup):
    """One service of several processes."""

    def configure(self) -> None:
        super().configure()
        path = self.folder / "services.yaml"
        path.write_text(path.read_text().replace('"restart": "always"', f'"restart": "always", "replicas": {REPLICAS}'))


class OfAUser(Replicated):
    """The same of an ordinary user, whose sockets take over nothing from each other."""

    def configure(self) -> None:
        self.program = Path(shutil.copy(self.program, self.folder / "server"))
        super().configure()
        self.environment["PYTHONPATH"] = str(tools.ROOT)
        self._python = python_of_nobody(self.environment)
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, 65534, 65534)

    def command(self) -> list[str]:
        file = str(self.folder / "services.yaml")
        return [*AS_NOBODY, self._python, "-m", "supervisor", "-f", file, "up", "-d"]


def main() -> int:
    """Prints the figures; 1 when a client was refused, cut off or got no answer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000, metavar="N", help="default: 10000")
    count = parser.parse_args().connections
    processes.end_by_exception()
    print(f"{machine()}\n")
    Portsup.prepare()
    broken = False
    for kind in (Replicated, OfAUser):
        with running(kind, WORK) as run:
            client = Client(run.folder / "r/bench-1.sock")
            (row,) = client.ask("status")["services"]
            met, lost = answered_by(count)
            of_each = [met[each["pid"]] for each in row["replicas"]]
            shares = ", ".join(f"{each} ({100 * each / count:.1f} %)" for each in of_each)
            print(f"{row['handoff']}: {count} connections to {REPLICAS} replicas: {shares}; {lost} lost", flush=True)
            with contextlib.ExitStack() as stack:
                crowd = [stack.enter_context(caller(FIRST_PORT)) for _ in range(CROWD)]
                ends = [list(client.stream("restart", services=[NAME], rolling=True))[-1] for _ in range(ROLLS)]
            gone = sum(each.refused + each.late + len(each.strange) for each in crowd)
            answered, cut = sum(each.answered for each in crowd), sum(each.cut for each in crowd)
            words = f"{answered} answered, {cut} cut, {gone} refused or unanswered"
            print(f"{row['handoff']}: {ROLLS} rolling restarts: {words}", flush=True)
            broken |= bool(lost or gone or cut) or not all(result["ok"] for end in ends for result in end["results"])
    print(verdict(not broken))
    return 1 if broken else 0


def answered_by(count: int) -> tuple[Counter[int], int]:
    """How many of so many connections each process has answered, and how many nobody has."""
    met: Counter[int] = Counter()
    left, lost = iter(range(count)), [0]
    lock = threading.Lock()

    def call() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            try:
                with socket.create_connection(("127.0.0.1", FIRST_PORT), timeout=WITHIN) as connection:
                    pid = int(connection.recv(100))
            except (OSError, ValueError):
                pid = 0
            with lock:
                met[pid] += 1
                lost[0] += not pid

    threads = [threading.Thread(target=call) for _ in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return met, lost[0]


if __name__ == "__main__":
    sys.exit(main())
