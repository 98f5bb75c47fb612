"""What is measured; every taker runs one contestant once and gives the values of one or more measures."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.contestants import HoldingFloor, Portsup, PythonFloor, Run, Workload, running

IDLE_SECONDS = 20.0
FLOOD_MB = 200
KILLS = 36  # a round, with six services
LIFE = 1.2  # seconds that a service lives: s6 and runit wait when it was less than one, mprocs gives up
Values = dict[str, list[float]]
Taker = Callable[[type[Run]], Values]


def start(count: int) -> Taker:
    """Milliseconds from the start of the supervisor until every service answers, and those of Python's own start."""

    def take(contestant: type[Run]) -> Values:
        with running(contestant, Workload(count)) as run:
            return {f"start-{count}": [run.answered_after * 1000]}

    return take


def python_start() -> list[float]:
    """Milliseconds that the interpreter of portsup takes to start and end again, with nothing to do in between."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return [(time.monotonic() - begin) * 1000]


def start_again(contestant: type[Run]) -> Values:
    """How long the second start in a folder takes, of the first, with the same configuration."""
    took = []
    with tempfile.TemporaryDirectory(prefix="pb") as folder:
        for _ in range(2):
            run = contestant(Workload(6), Path(folder))
            try:
                run.start()
                processes.wait_for_answers(run.workload.ports, 60, run.check)
                took.append(time.monotonic() - run.started_at)
                run.settle(60)
            finally:
                run.end()
    return {"start-again": [took[1] / took[0]]}


def restart(contestant: type[Run]) -> Values:
    """Milliseconds from the SIGKILL of a service until its next process answers on the same port."""
    values = []
    with running(contestant, Workload(6)) as run:
        since = dict.fromkeys(run.workload.ports, time.monotonic())
        for number in range(KILLS):
            port = run.workload.ports[number % 6]
            time.sleep(max(0.0, since[port] + LIFE - time.monotonic()) + random.uniform(0.0, 0.02))
            before = processes.ask(port)
            if before is None:
                raise RuntimeError(f"nothing answers on port {port} any more")
            begin = time.monotonic()
            os.kill(before, signal.SIGKILL)
            while (now := processes.ask(port)) is None or now == before:
                if time.monotonic() - begin > 15:
                    raise TimeoutError("a killed service did not come back within 15 s")
                time.sleep(0.0002)
            since[port] = time.monotonic()
            values.append((since[port] - begin) * 1000)
            time.sleep(LIFE / 6)  # as long for one that is not asked to wait
            if values[-1] > 500 and len(values) >= 8:  # it does so by the second
                break
    return {"restart": values}


def stop(count: int) -> Taker:
    """Milliseconds from the word to the supervisor until it and every service are gone."""

    def take(contestant: type[Run]) -> Values:
        with running(contestant, Workload(count)) as run:
            time.sleep(3.0)  # until nothing of the start is under way
            ends = processes.Ends(processes.marked(run.mark))
            begin = time.monotonic()
            run.stop()
            left = ends.wait(within=60.0)
            took = time.monotonic() - begin
            ends.close()
            if left:
                raise TimeoutError(f"{len(left)} processes are left after 60 s")
            return {f"stop-{count}": [took * 1000]}

    return take


def idle(count: int) -> Taker:
    """Of the supervisor's own processes, while nothing happens: processor time and context switches of all threads in
    20 s, and MiB of memory (PSS).
    """

    def take(contestant: type[Run]) -> Values:
        with running(contestant, Workload(count)) as run:
            time.sleep(3.0)
            pids = run.own_pids()
            switches, cost = processes.context_switches(pids), processes.cost(pids)
            time.sleep(IDLE_SECONDS)
            return {
                f"wake-ups-{count}": [processes.context_switches(pids) - switches],
                f"idle-{count}": [processes.cost(pids) - cost],
                f"memory-{count}": [processes.memory(pids)],
            }

    return take


def commands(contestant: type[Run]) -> Values:
    """Milliseconds of processor time, user and system, of the commands that show the state of six services and the
    port of one.
    """
    values: Values = {"status": [], "port": []}
    with running(contestant, Workload(6)) as run:
        time.sleep(1.0)
        for number in range(11):
            for name, command in (("status", run.status()), ("port", run.port())):
                if command is None:
                    continue
                process = subprocess.Popen(command, env=run.environment, stdout=subprocess.DEVNULL)
                _, code, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(code)
                if process.returncode:
                    raise RuntimeError(f"{' '.join(command)} returned {process.returncode}")
                if number:  # the first one may write byte code
                    values[name].append((usage.ru_utime + usage.ru_stime) * 1000)
    return values


def capture(contestant: type[Run]) -> Values:
    """MB/s at which a service that floods its standard output gets rid of it, into files, and the milliseconds of
    processor time that the supervisor spends on it.
    """
    with tempfile.TemporaryDirectory(prefix="pb") as folder:
        done, go = Path(folder) / "done", Path(folder) / "go"
        told = {"FLOOD_MB": str(FLOOD_MB), "FLOOD_DONE": str(done), "FLOOD_GO": str(go)}
        with running(contestant, Workload(1, "flood", environment=told)) as run:
            deadline = time.monotonic() + 120
            while not run.service_pids():
                if time.monotonic() > deadline:
                    raise TimeoutError("the service was not started within 120 s")
                time.sleep(0.05)
            time.sleep(1.0)
            pids = run.own_pids()
            before = processes.cost(pids)
            go.touch()
            while not (done.exists() and done.read_text()) or run.captured() < FLOOD_MB * 1_000_000:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{run.captured()} of {FLOOD_MB} MB captured within 120 s")
                time.sleep(0.05)
            cost = processes.cost(pids) - before
            return {"capture": [FLOOD_MB / float(done.read_text())], "capture-cost": [cost]}


@dataclass(frozen=True, slots=True)
class Goal:
    """How large portsup's median may be, or how small: by itself, or as a ratio to that of another."""

    limit: float
    of: str = ""  # a contestant; portsup by itself without
    is_least: bool = False
    with_p99: bool = False  # the ratio of the 99th percentiles as well
    less_python: bool = False  # Python's own start taken off


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the report."""

    words: str
    unit: str
    take: Taker
    goals: tuple[Goal, ...] = ()
    rounds: int = 5
    is_ours: bool = False  # only portsup has it, and the floor under it


_idle_6, _idle_200 = idle(6), idle(200)
_RESTART = (Goal(0.9, "s6", with_p99=True), Goal(0.9, "runit", with_p99=True), Goal(15), Goal(4, "C floor"))
_FLOOR = Goal(3, "C floor", less_python=True)
MEASURES = {
    "start-6": Measure("start of 6 services", "ms", start(6), (Goal(0.7, "honcho"), _FLOOR), rounds=7),
    "start-50": Measure("start of 50 services", "ms", start(50), (_FLOOR,)),
    "start-200": Measure("start of 200 services", "ms", start(200), (Goal(1.0, "mprocs"), Goal(1500), _FLOOR)),
    "start-again": Measure("start once more, of the first", "", start_again, (Goal(0.8),), is_ours=True),
    "restart": Measure("restart after SIGKILL", "ms", restart, _RESTART, rounds=3),
    "stop-6": Measure("stop of 6 services", "ms", stop(6), (Goal(1.0, "s6"),)),
    "stop-50": Measure("stop of 50 services", "ms", stop(50), (Goal(150),), rounds=3),
    "stop-200": Measure("stop of 200 services", "ms", stop(200), (Goal(0.4, "s6"),), rounds=3),
    "wake-ups-6": Measure("wake-ups in 20 idle s, 6 services", "", _idle_6, (Goal(4),), rounds=3),
    "idle-6": Measure(
        "processor time of 20 idle s, 6 services", "ms", _idle_6, (Goal(0.5, "supervisord"),), rounds=3
    ),
    "memory-6": Measure("memory, 6 services", "MiB", _idle_6, (Goal(1.0, "supervisord"), Goal(30)), rounds=3),
    "wake-ups-200": Measure("wake-ups in 20 idle s, 200 services", "", _idle_200, rounds=3),
    "idle-200": Measure(
        "processor time of 20 idle s, 200 services", "ms", _idle_200, (Goal(0.5, "supervisord"),), rounds=3
    ),
    "memory-200": Measure("memory, 200 services", "MiB", _idle_200, (Goal(1.0, "supervisord"),), rounds=3),
    "status": Measure("`status`, processor time", "ms", commands, (Goal(0.3, "supervisord"),)),
    "port": Measure("`port`, processor time", "ms", commands, (Goal(0.3, "supervisord"),)),
    "capture": Measure(
        "log capture", "MB/s", capture, (Goal(1.0, "supervisord", is_least=True),), rounds=3
    ),
    "capture-cost": Measure(
        "processor time of capturing 200 MB", "ms", capture, (Goal(1.0, "supervisord"),), rounds=3
    ),
}  # fmt: skip
PYTHON = "python -c pass"  # taken beside the measures that are counted less Python's own start


def can(contestant: type[Run], name: str) -> bool:
    """Whether a contestant has this measure."""
    has_it = not MEASURES[name].is_ours or contestant in (Portsup, PythonFloor, HoldingFloor)
    return has_it and name not in contestant.cannot
