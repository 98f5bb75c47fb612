"""What is measured; every measure gives the values of one round of one contestant."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import processes
from benchmarks.contestants import Floor, Portsup, Run, Supervisord, Workload, running

IDLE_SECONDS = 20.0
FLOOD_MB = 200
KILLS = {Supervisord: 8, Portsup: 100, Floor: 100}  # a round; supervisord takes a second for each


def start(count: int) -> Callable[[type[Run]], list[float]]:
    """Milliseconds from the start of the supervisor until every service answers."""

    def measure(contestant: type[Run]) -> list[float]:
        with running(contestant, Workload(count)) as run:
            return [run.answered_after * 1000]

    return measure


def python_start() -> list[float]:
    """Milliseconds that the interpreter of portsup takes to start and end again, with nothing to do in between."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return [(time.monotonic() - begin) * 1000]


def restart(contestant: type[Run]) -> list[float]:
    """Milliseconds from the SIGKILL of a service until its next process answers on the same port."""
    values = []
    with running(contestant, Workload(6)) as run:
        time.sleep(1.0)
        for number in range(KILLS[contestant]):
            port = run.workload.ports[number % 6]
            before = processes.ask(port)
            if before is None:
                raise RuntimeError(f"nothing answers on port {port} any more")
            begin = time.monotonic()
            os.kill(before, signal.SIGKILL)
            while (now := processes.ask(port)) is None or now == before:
                if time.monotonic() - begin > 15:
                    raise TimeoutError("a killed service did not come back within 15 s")
                time.sleep(0.0002)
            values.append((time.monotonic() - begin) * 1000)
            time.sleep(random.uniform(0.02, 0.06))
    return values


def stop(count: int) -> Callable[[type[Run]], list[float]]:
    """Milliseconds from a SIGTERM to the supervisor until it and every service are gone."""

    def measure(contestant: type[Run]) -> list[float]:
        with running(contestant, Workload(count)) as run:
            time.sleep(1.0)
            ends = processes.Ends(processes.marked(run.mark))
            begin = time.monotonic()
            os.kill(run.main_pid(), signal.SIGTERM)
            left = ends.wait(within=60.0)
            took = time.monotonic() - begin
            ends.close()
            if left:
                raise TimeoutError(f"{len(left)} processes are left 60 s after the SIGTERM")
            return [took * 1000]

    return measure


def wake_ups(contestant: type[Run]) -> list[float]:
    """Context switches of all threads of the supervisor's processes in 20 idle seconds with six services."""
    with running(contestant, Workload(6)) as run:
        time.sleep(3.0)
        pids = run.own_pids()
        before = processes.context_switches(pids)
        time.sleep(IDLE_SECONDS)
        return [processes.context_switches(pids) - before]


def memory(contestant: type[Run]) -> list[float]:
    """MiB (PSS) of the supervisor's processes with six services."""
    with running(contestant, Workload(6)) as run:
        time.sleep(3.0)
        return [processes.memory(run.own_pids())]


def status(contestant: type[Run]) -> list[float]:
    """Milliseconds of processor time, user and system, of the command that shows the state of six services."""
    values = []
    with running(contestant, Workload(6)) as run:
        command = run.status()
        if command is None:
            return []
        time.sleep(1.0)
        for number in range(11):
            process = subprocess.Popen(command, env=run.environment, stdout=subprocess.DEVNULL)
            _, code, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(code)
            if process.returncode:
                raise RuntimeError(f"{' '.join(command)} returned {process.returncode}")
            if number:  # the first one may write byte code
                values.append((usage.ru_utime + usage.ru_stime) * 1000)
    return values


def capture(contestant: type[Run]) -> list[float]:
    """MB/s at which a service that floods its standard output gets rid of it, into files."""
    done = Path(f"/tmp/flood-{os.getpid()}")
    done.unlink(missing_ok=True)
    flood = Workload(1, "flood", environment={"FLOOD_MB": str(FLOOD_MB), "FLOOD_DONE": str(done)})
    try:
        with running(contestant, flood) as run:
            deadline = time.monotonic() + 120
            while not (done.exists() and done.read_text()) or run.captured() < FLOOD_MB * 1_000_000:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{run.captured()} of {FLOOD_MB} MB captured within 120 s")
                time.sleep(0.05)
            return [FLOOD_MB / float(done.read_text())]
    finally:
        done.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the report; `goal` is for portsup's median, and `of_supervisord` tells that it is a ratio.

    `of_floor` is how many times the floor's median portsup's may be; `less_python`, without Python's own start.
    """

    words: str
    unit: str
    take: Callable[[type[Run]], list[float]]
    goal: float | None = None
    of_supervisord: bool = False
    of_floor: float | None = None
    less_python: bool = False
    rounds: int = 5
    more_is_better: bool = False
    rounds_of: dict[type[Run], int] = field(default_factory=dict)  # fewer for those that take long


MEASURES = {
    "start-6": Measure("start of 6 services", "ms", start(6), of_floor=3, less_python=True, rounds=7),
    "start-50": Measure("start of 50 services", "ms", start(50), of_floor=3, less_python=True),
    "start-200": Measure("start of 200 services", "ms", start(200), goal=1500, of_floor=3, less_python=True),
    "restart": Measure("restart after SIGKILL", "ms", restart, goal=15, of_floor=4, rounds=3),
    "stop-50": Measure("stop of 50 services", "ms", stop(50), goal=150, rounds_of={Supervisord: 1}),
    "wake-ups": Measure("idle wake-ups in 20 s", "", wake_ups, goal=4, rounds=3),
    "memory": Measure("memory, six services", "MiB", memory, goal=30, rounds=3),
    "status": Measure("`status`, processor time", "ms", status, goal=0.6, of_supervisord=True),
    "capture": Measure("log capture", "MB/s", capture, rounds=3, more_is_better=True),
}
