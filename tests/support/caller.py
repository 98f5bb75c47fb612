"""A client that calls a server again and again, and counts what becomes of it."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
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


def call_kept_alive(port: int, calls: Calls, kept: list[http.client.HTTPConnection]) -> None:
    """One HTTP request on the connection that is kept from the last one, or on a new one.

    A kept one may have been closed by a server that ends, between two requests: then a new one is opened.
    """
    is_new = not kept
    connection = kept.pop() if kept else http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_WITHIN)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            calls.strange.append(f"status {answer.status}")
        calls.answered += 1
        if not answer.will_close:
            kept.append(connection)
    except ConnectionRefusedError:
        calls.refused += 1
    except (ConnectionResetError, BrokenPipeError):  # also if it was closed without any answer
        calls.cut += is_new
    except TimeoutError:
        calls.late += 1
    except (OSError, http.client.HTTPException) as error:
        calls.strange.append(repr(error))


@contextmanager
def keeper_alive(port: int) -> Iterator[Calls]:
    """Calls by HTTP for the length of the block, on connections that are kept for as long as the server keeps them."""
    kept: list[http.client.HTTPConnection] = []
    with again_and_again(lambda calls: call_kept_alive(port, calls, kept)) as calls:
        yield calls
    for connection in kept:
        connection.close()


@contextmanager
def caller(port: int, request: bytes = b"", host: str = "127.0.0.1") -> Iterator[Calls]:
    """Calls for the length of the block, one call after the other."""
    with again_and_again(lambda calls: call(port, request, host, calls)) as calls:
        yield calls


@contextmanager
def again_and_again(act: Callable[[Calls], None]) -> Iterator[Calls]:
    """Does this for the length of the block."""
    calls, stop = Calls(), threading.Event()

    def go() -> None:
        while not stop.is_set():
            act(calls)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield calls
    finally:
        stop.set()
        thread.join(ANSWER_WITHIN)
