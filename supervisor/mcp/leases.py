"""Ports that are kept for programs of the client: locked among all that use these locks, until a time or the end."""

import re
import socket
import threading
import time

from supervisor import PortLock
from supervisor.errors import PortsupError
from supervisor.mcp.results import Refused, Result, made
from supervisor.words import tools as words

MOST = 20  # leases at a time
_MOST_PORTS = 100


class Leases:
    """The leases of one session; all end with it."""

    def __init__(self) -> None:
        self._locks: dict[int, PortLock] = {}
        self._timers: dict[int, threading.Timer] = {}
        self._mutex = threading.RLock()  # a signal may come while it is held

    def take(self, pool: str, purpose: str, minutes: int) -> Result:
        """The first port of `pool` that is free and nobody else's."""
        reasons = []
        with self._mutex:
            if len(self._locks) >= MOST:
                raise Refused("too-many", f"{MOST} ports are leased already", "wait until one is over")
            for port in _ports_of(pool):
                if port in self._locks:
                    reasons.append(f"port {port}: {words.LEASED_ALREADY}")
                    continue
                if why := _why_taken(port):
                    reasons.append(f"port {port}: {why}")
                    continue
                lock = PortLock(port, purpose[:60])
                try:
                    lock.acquire()
                except PortsupError as taken:
                    reasons.append(f"port {port}: {taken.why}")
                    continue
                self._keep(port, lock, minutes)
                until = time.strftime("%H:%M:%S", time.localtime(time.time() + minutes * 60))
                why = f"kept until {until} or the end of this session; bind it yourself"
                return made(ok=True, port=port, state="leased", why=why)
        raise Refused("pool-exhausted", "; ".join(reasons), "lease() with another pool")

    def close(self) -> None:
        """Gives all back."""
        with self._mutex:
            for timer in self._timers.values():
                timer.cancel()
            for lock in self._locks.values():
                _give_back(lock)
            self._timers.clear()
            self._locks.clear()

    def _keep(self, port: int, lock: PortLock, minutes: int) -> None:
        timer = threading.Timer(minutes * 60, self._end, [port])
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError as error:  # no thread is left: it would be kept without an end
            _give_back(lock)
            raise Refused("failed", f"port {port} cannot be kept: {error}", "lease() again") from error
        self._locks[port], self._timers[port] = lock, timer

    def _end(self, port: int) -> None:
        with self._mutex:
            self._timers.pop(port, None)
            if (lock := self._locks.pop(port, None)) is not None:
                _give_back(lock)


def _give_back(lock: PortLock) -> None:
    try:
        lock.release()
    except (PortsupError, OSError):  # somebody has taken the lock file away
        pass


def _ports_of(pool: str) -> list[int]:
    found: list[int] = []
    for part in pool.split(","):
        span = re.fullmatch(r"\s*(\d{1,5})(?:-(\d{1,5}))?\s*", part)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not 0 < first <= last < 65536 or len(found) + last - first >= _MOST_PORTS:
            raise Refused("bad-argument", f"`{pool[:40]}` are no ports: write 8100-8109 or 8100,8110, 100 at most")
        found += range(first, last + 1)
    return found


def _why_taken(port: int) -> str:
    """Why nobody could bind a port now; empty if it is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are over are no owner
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""
