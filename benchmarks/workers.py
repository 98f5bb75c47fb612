"""Counts the clients that are refused or get no answer while a service of several workers is killed and restarted.

    python -m benchmarks.workers [--kills N]

The service is a C program whose workers have a `SO_REUSEPORT` socket each: one, four and sixteen of them.  Half of the
kills take the main process, and with it all workers; the others a single worker, which the program replaces.  Then the
service is restarted a quarter as many times by `restart --rolling`.  Four clients call all the time.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
from typing import Any

from benchmarks import processes
from benchmarks.contestants import FIRST_PORT, Portsup, Workload, running
from benchmarks.figures import machine, verdict
from supervisor.control.client import Client
from tests.support.caller import Calls, caller

CROWD = 4  # clients that call at once
NAME = f"s{FIRST_PORT}"
WITHIN = 30.0  # seconds until a service must answer again
COUNTS = (1, 4, 16)


def main() -> int:
    """Prints the figures; 1 when a client was lost: refused, without an answer, or cut off by a rolling restart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="default: 200")
    kills = parser.parse_args().kills
    processes.end_by_exception()
    print(f"{machine()}\n")
    Portsup.prepare()
    broken = False
    for count in COUNTS:
        work = Workload(1, "workers", environment={"WORKERS": str(count)})
        with running(Portsup, work) as run:
            client = Client(run.folder / "r/bench-1.sock")
            for what, times, act in (("kills", kills, kill), ("rolling restarts", max(kills // 4, 1), roll)):
                with contextlib.ExitStack() as stack:
                    crowd = [stack.enter_context(caller(FIRST_PORT)) for _ in range(CROWD)]
                    for number in range(times):
                        act(client, number, crowd)
                answered, cut = sum(each.answered for each in crowd), sum(each.cut for each in crowd)
                refused = sum(each.refused for each in crowd)
                late = sum(each.late + len(each.strange) for each in crowd)
                # In a rolling restart every process ends between two clients, so those cut off have waited in a queue.
                lost = refused + late + (cut if act is roll else 0)
                told = f"{answered} answered, {cut} cut, {refused} refused, {late} unanswered"
                print(f"{count} workers, {times} {what}: {told}", flush=True)
                broken |= lost > 0
    print(verdict(not broken))
    return 1 if broken else 0


def kill(client: Client, number: int, crowd: list[Calls]) -> None:
    """Kills the main process, or every other time a worker; returns when the service runs and has answered."""
    main_pid = row(client)["pid"]
    children = workers_of(main_pid) if number % 2 else []
    os.kill(children[number // 2 % len(children)] if children else main_pid, signal.SIGKILL)
    until(lambda: bool(children) or row(client)["pid"] not in (None, main_pid))
    until(lambda: row(client)["state"] == "running")
    answers(crowd)


def roll(client: Client, number: int, crowd: list[Calls]) -> None:
    """Restarts the service while clients call."""
    *_, last = client.stream("restart", services=[NAME], rolling=True)
    if not last["results"][0]["ok"]:
        raise RuntimeError(f"restart number {number + 1} failed: {last['results'][0]}")
    answers(crowd)


def answers(crowd: list[Calls]) -> None:
    """Returns when each client has had two more answers."""
    before = [each.answered for each in crowd]
    until(lambda: all(each.answered > old + 1 for each, old in zip(crowd, before, strict=True)))


def row(client: Client) -> dict[str, Any]:
    """What `status` says of the service."""
    found: dict[str, Any] = client.ask("status")["services"][0]
    return found


def workers_of(pid: int) -> list[int]:
    """The children of a process; none of one that is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
    return []


def until(check: Any) -> None:
    """Returns once this is true; raises TimeoutError."""
    deadline = time.monotonic() + WITHIN
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("the service did not come back")
        time.sleep(0.002)


if __name__ == "__main__":
    sys.exit(main())
