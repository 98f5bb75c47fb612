"""A network namespace of a test's own: its ports and settings are nobody else's."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.needed import need_program
from tests.support.thief import OTHER_ADDRESSES

CLONE_NEWNET = 0x40000000  # sched.h
SLOW = ["tbf", "rate", "200kbit", "burst", "1540", "latency", "5s"]  # tc-tbf(8): 3 ms for each packet


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


@contextmanager
def own_network(*, moves: bool = False) -> Iterator[None]:
    """This thread, and what it starts, is in a namespace of its own for the length of the block; skips without root.

    `moves` switches net.ipv4.tcp_migrate_req on there.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            _call("unshare", CLONE_NEWNET)
        except PermissionError:
            pytest.skip("a network namespace takes root")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for address in OTHER_ADDRESSES:
                subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
            Path("/proc/sys/net/ipv4/tcp_migrate_req").write_text(str(int(moves)))
            yield
        finally:
            _call("setns", before, CLONE_NEWNET)
    finally:
        os.close(before)


def slow_down() -> None:
    """Packets wait for each other in the namespace that this thread is in."""
    tc = need_program("tc", "iproute2")
    done = subprocess.run([tc, "qdisc", "add", "dev", "lo", "root", *SLOW], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this kernel has no slow link: {done.stderr.strip()}")
