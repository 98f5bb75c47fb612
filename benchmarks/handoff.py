"""Measures what the handoff promises: thieves that get a port, clients that are refused, and what it costs.

    python -m benchmarks.handoff [--kills N]

One trivial C service is killed again and again, with the handoff and without.  The thief is that of the tests: one
process for each core, spinning on bind and listen with every combination of SO_REUSEADDR and SO_REUSEPORT on 127.0.0.1,
127.0.0.2, 0.0.0.0, ::1 and ::.
"""

import argparse
import contextlib
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable

from benchmarks import processes
from benchmarks.contestants import FIRST_PORT, Floor, Portsup, Run, WithoutHandoff, Workload, running
from benchmarks.figures import machine, spread
from tests.support.caller import caller
from tests.support.thief import thief

CROWD = 16  # clients that call at once, for a queue at each kill
WITHIN = 30.0  # seconds until a killed service must answer again
SEEN_WITHIN = 0.05  # seconds: a service that is killed before it counts as ready too often is moved to another port


def main() -> int:
    """Prints the figures; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handoff", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=1000, metavar="N", help="default: 1000")
    kills = parser.parse_args().kills
    processes.end_by_exception()
    print(f"{machine()}\n")
    few = max(kills // 5, 1)
    broken = False
    ours: tuple[type[Run], ...] = (Portsup, WithoutHandoff)
    everybody: tuple[type[Run], ...] = (Floor, *ours)
    for contestant in everybody:
        contestant.prepare()
    for contestant in ours:
        with running(contestant, Workload(1)) as run:
            won, tries, survived = thieves(run, kills if contestant is Portsup else min(kills, 50))
        print(f"{contestant.name}: thieves won {won} of {tries} tries during {survived} kills", flush=True)
        broken |= contestant is Portsup and (won > 0 or survived < kills)
    for contestant in ours:
        with running(contestant, Workload(1)) as run, caller(FIRST_PORT) as calls:
            done = survives(run, few)
        print(f"{contestant.name}: {done} kills, {calls}", flush=True)
        broken |= contestant is Portsup and bool(calls.refused or calls.late or calls.strange or done < few)
    for contestant in ours:
        with running(contestant, Workload(1)) as run, contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(caller(FIRST_PORT)) for _ in range(CROWD)]
            queued = [queue_at_kill(run) for _ in range(few)]
        lost = sum(each.refused + each.late + len(each.strange) for each in crowd)
        waited = f"median {statistics.median(queued):g}, at most {max(queued)}"
        print(f"{contestant.name}: {few} kills with {waited} clients in the queue, {lost} of them lost", flush=True)
        broken |= contestant is Portsup and lost > 0
    for contestant in everybody:
        with running(contestant, Workload(1)) as run:
            took = [restart(run) for _ in range(few)]
        print(f"{contestant.name}: answers {spread(took, 'ms')} after SIGKILL", flush=True)
    return 1 if broken else 0


def thieves(run: Run, kills: int) -> tuple[int, int, int]:
    """How often thieves got the port while the service was killed, their tries, and how many kills it survived."""
    with contextlib.ExitStack() as stack:
        loot = [stack.enter_context(thief([FIRST_PORT])) for _ in range(min(os.cpu_count() or 1, 2))]
        survived = survives(run, kills)
    return sum(sum(each.won.values()) for each in loot), sum(each.tries for each in loot), survived


def survives(run: Run, kills: int) -> int:
    """Kills the service so often; how many times it came back to its port."""
    for done in range(kills):
        try:
            restart(run)
        except TimeoutError:
            return done
    return kills


def queue_at_kill(run: Run) -> int:
    """Kills the service; the longest queue of its port until another process answers."""
    longest: list[int] = [0]
    restart(run, look=lambda: longest.append(queue_of(FIRST_PORT)))
    return max(longest)


def queue_of(port: int) -> int:
    """How many connections wait to be accepted on a port: rx_queue of what listens, proc_pid_net(5)."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[4].partition(":")[2], 16) for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}"))


def restart(run: Run, seen_within: float = SEEN_WITHIN, look: Callable[[], object] | None = None) -> float:
    """Kills the service; milliseconds until another process answers on its port."""
    deadline = time.monotonic() + WITHIN
    while (pid := processes.ask(FIRST_PORT)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError
    time.sleep(seen_within)
    os.kill(pid, signal.SIGKILL)
    begun = time.monotonic()
    while look is not None and time.monotonic() < begun + SEEN_WITHIN:
        look()
    while processes.ask(FIRST_PORT) in (None, pid):
        if time.monotonic() > deadline:
            raise TimeoutError
    return (time.monotonic() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main())
