"""Ports for tests, away from the system's ephemeral range so that no outgoing connection takes them."""

import errno
import os
import socket

FIRST = 20000
COUNT = 10000

# By the golden ratio, so that neighbouring pids (the workers of one test run) begin far from each other.
_position = os.getpid() * 6181 % COUNT


def free_pool(size: int = 1) -> tuple[int, ...]:
    """`size` consecutive ports that nothing holds just now; never the same ones twice in a process.

    Another process may still take one before the test does: tests that run side by side start at different offsets.
    """
    global _position
    for _ in range(COUNT):
        start = FIRST + _position
        if start + size > FIRST + COUNT:
            _position = 0
            continue
        taken = next((port for port in range(start, start + size) if not _is_free(port)), None)
        if taken is None:
            _position += size
            return tuple(range(start, start + size))
        _position = taken + 1 - FIRST
    raise RuntimeError(f"no {size} consecutive free ports in {FIRST}-{FIRST + COUNT - 1}")


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
