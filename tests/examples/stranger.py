"""A server of bytes: it reads a request and answers whatever a test says, HTTP or not."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Stranger:
    """`reply` is what it sends; then it closes the connection, or with `holds` waits until the other side does.

    `{request}` in the reply is the whole request, as an echo.
    """

    url: str = ""
    reply: bytes = b""
    holds: bool = False
    asked: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)  # the other side closed a connection that was held

    def will(self, reply: bytes, *, holds: bool = False) -> None:
        self.reply, self.holds = reply, holds
        self.asked.clear()
        self.left.clear()


@contextmanager
def stranger() -> Iterator[Stranger]:
    """Runs one until the end of the block."""
    state = Stranger()
    open_ones: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    open_ones.append(connection)
                    threading.Thread(target=_answer, args=(state, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield state
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in open_ones:
                connection.close()


def _answer(state: Stranger, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(30)
        request = _request(connection)
        state.asked.set()
        connection.sendall(state.reply.replace(b"{request}", request))
        if state.holds and connection.recv(1) == b"":
            state.left.set()


def _request(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        read += _some(connection)
    head, _, body = read.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    if part := connection.recv(65536):
        return part
    raise ConnectionResetError("the client left")
