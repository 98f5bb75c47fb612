"""A client that calls a server again and again, and counts what becomes of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ANSWER_WITHIN = 20.0  # seconds; a call that waits for the next process of a service is answered long before


@dataclass(slots=True)
class Calls:
    """What became of the calls."""

    answered: int = 0
    refused: int = 0  # nobody listened
    cut: int = 0  # taken by a process that ended before it answered
    late: int = 0  # no answer at all
    strange: list[str] = field(default_factory=list)


def call(port: int, request: bytes, host: str, calls: Calls) -> None:
    """One connection."""
    try:
        with socket.create_connection((host, port), ANSWER_WITHIN) as connection:
            connection.settimeout(ANSWER_WITHIN)
            if request:
                connection.sendall(request)
            if connection.recv(256):
                calls.answered += 1
            else:
                calls.cut += 1
    except ConnectionRefusedError:
        calls.refused += 1
    except (ConnectionResetError, BrokenPipeError):
        calls.cut += 1
    except TimeoutError:
        calls.late += 1
    except OSError as error:
        calls.strange.append(repr(error))


@contextmanager
def caller(port: int, request: bytes = b"", host: str = "127.0.0.1") -> Iterator[Calls]:
    """Calls for the length of the block, one call after the other."""
    calls, stop = Calls(), threading.Event()

    def go() -> None:
        while not stop.is_set():
            call(port, request, host, calls)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield calls
    finally:
        stop.set()
        thread.join(ANSWER_WITHIN)
