"""Ports for tests, away from the system's ephemeral range so that no outgoing connection takes them.

Test processes that run side by side share them by blocks: who holds the lock on a block's file has its ports.
"""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

FIRST = 20000
BLOCK = 250  # ports
BLOCKS = 40

_blocks: list[int] = []  # descriptors of the locks that we hold, until the process ends
_left: list[int] = []  # of the present block


def free_pool(size: int = 1) -> tuple[int, ...]:
    """`size` consecutive ports that nothing holds just now; never the same ones twice in a process."""
    claims = _claims()
    while True:
        while len(_left) >= size:
            taken = next((at for at in range(size) if not _is_free(_left[at])), None)
            if taken is None:
                pool = tuple(_left[:size])
                del _left[:size]
                return pool
            del _left[: taken + 1]
        block = next(claims, None)
        if block is None:
            raise RuntimeError(f"no {size} consecutive free ports in {FIRST}-{FIRST + BLOCKS * BLOCK - 1}")
        _left[:] = range(FIRST + block * BLOCK, FIRST + (block + 1) * BLOCK)


def _claims() -> Iterator[int]:
    """Blocks that no other test process has, and we did not have before."""
    import fcntl

    for number in range(BLOCKS):
        block = (os.getpid() * 7 + number) % BLOCKS
        path = Path(tempfile.gettempdir(), f"portsup-test-ports-{os.getuid()}-{block}.lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        _blocks.append(descriptor)
        yield block


def free_port() -> int:
    """One port that nothing holds just now."""
    return free_pool(1)[0]


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # no IPv6 here
        with probe:
            try:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    return False
    return True
