"""A program that tries to get ports as fast as it can, in every way there is."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

OTHER_ADDRESSES = ("fd00::1", "2001:db8::5", "10.77.0.1")  # of a network namespace of a test's own; elsewhere none's
WAYS = [
    (family, address, reuse_address, reuse_port)
    for family, address in (
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "127.0.0.2"),
        (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::"),
        (socket.AF_INET6, "::ffff:127.0.0.1"),
        *((socket.AF_INET6 if ":" in address else socket.AF_INET, address) for address in OTHER_ADDRESSES),
    )
    for reuse_address, reuse_port in itertools.product((0, 1), (0, 1))
]


def steal(port: int, way: tuple[int, str, int, int]) -> socket.socket | None:
    """The port, listening, if it can be had in this way."""
    family, address, reuse_address, reuse_port = way
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None  # no IPv6 here
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse_address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse_port)
        sock.bind((address, port))
        sock.listen()
    except OSError:
        sock.close()
        return None
    return sock


def ways_in(port: int) -> list[tuple[int, str, int, int]]:
    """In which ways the port can be had just now."""
    found: list[tuple[int, str, int, int]] = []
    for way in WAYS:
        sock = steal(port, way)
        if sock is not None:
            sock.close()
            found.append(way)
    return found


def as_user(user: int) -> list[str]:
    """What begins a command line that runs as another user without any capability, setpriv(1)."""
    return [
        "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
    ]  # fmt: skip


class Loot:
    """What a thief has got; known when it has ended."""

    def __init__(self) -> None:
        self.won: dict[int, int] = {}  # by port, how often
        self.tries = 0


@contextmanager
def thief(ports: Sequence[int], user: int | None = None) -> Iterator[Loot]:
    """Runs a thief process on all of `ports` for the length of the block; as `user`, which takes root."""
    loot = Loot()
    command = [sys.executable] if user in (None, os.getuid()) else [*as_user(user or 0), "/usr/bin/python3"]
    process = subprocess.Popen(
        [*command, "-m", "tests.support.thief", *map(str, ports)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"at work\n"
        yield loot
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=10)
        result = json.loads(said)
        loot.tries, loot.won = result["tries"], {int(port): times for port, times in result["won"].items()}


def main(ports: Sequence[int]) -> None:
    """Until SIGTERM: try every way into every port, give back at once what was got, and count it."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    won: dict[int, int] = {}
    tries, parent = 0, os.getppid()
    print("at work", flush=True)
    while not stop and os.getppid() == parent:
        for port in ports:
            for way in WAYS:
                tries += 1
                got = steal(port, way)
                if got is not None:
                    got.close()
                    won[port] = won.get(port, 0) + 1
    print(json.dumps({"tries": tries, "won": won}), flush=True)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
