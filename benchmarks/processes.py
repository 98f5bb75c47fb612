"""Looking at processes through /proc: who belongs to a run, what they cost, and when they are gone."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

MARK = "BENCHMARK_RUN"  # an environment variable that every process of a run inherits


def marked(mark: str) -> dict[int, str]:
    """Pid and executable's name of every process with this mark."""
    wanted, found = f"{MARK}={mark}".encode(), {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = os.readlink(process / "exe").rpartition("/")[2]
        except OSError:  # gone, or not ours
            continue
    return found


def context_switches(pids: Iterable[int]) -> int:
    """How often all threads of these processes were put on a processor, voluntarily or not, since they started."""
    total = 0
    for pid in pids:
        for status in Path(f"/proc/{pid}/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if "ctxt_switches:" in line:
                    total += int(line.split()[1])
    return total


def cost(pids: Iterable[int]) -> float:
    """Milliseconds that all threads of these processes have spent on a processor since they started (proc_pid_stat(5)
    counts ticks of 10 ms; /proc/PID/task/TID/schedstat has nanoseconds).
    """
    total = 0
    for pid in pids:
        for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(stat.read_text().split()[0])
    return total / 1e6


def memory(pids: Iterable[int]) -> float:
    """MiB of these processes, what they share with others divided by the number of sharers (PSS)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def anonymous_memory(pids: Iterable[int]) -> float:
    """MiB of these processes that are backed by no file; unlike PSS it does not change with what others run."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                total += int(line.split()[1])
    return total / 1024


def ask(port: int) -> int | None:
    """The pid of the server that answers on this port, None when none does."""
    with contextlib.suppress(OSError, ValueError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        return int(client.recv(16))
    return None


def wait_for_answers(ports: Iterable[int], within: float, check: Callable[[], None]) -> None:
    """Returns once a server has answered on each of these ports; `check` raises when there is no hope left."""
    deadline = time.monotonic() + within
    for port in ports:
        while ask(port) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer on port {port} within {within:g} s")
            check()
            time.sleep(0.001)


class Ends:
    """Waits until some processes have ended; made before they are told to, so that no pid is taken for another."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._poll = select.poll()
        self._left: dict[int, int] = {}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                self._left[descriptor] = pid
                self._poll.register(descriptor, select.POLLIN)

    def wait(self, within: float) -> list[int]:
        """The pids that are still there after so many seconds."""
        deadline = time.monotonic() + within
        while self._left and (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in self._poll.poll(left * 1000):
                self._forget(descriptor)
        return list(self._left.values())

    def kill(self) -> None:
        """Ends those that are left by SIGKILL."""
        for descriptor in self._left:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def close(self) -> None:
        for descriptor in list(self._left):
            self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        os.close(descriptor)
        del self._left[descriptor]


def end_by_exception() -> None:
    """Have SIGTERM and SIGHUP end us as Ctrl-C does, so that whatever was started is ended; once is enough."""

    def end(number: int, _: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # or else the clean-up would be cut short by the next one
        raise SystemExit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, end)
