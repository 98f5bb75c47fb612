"""The answer to one request of the control socket, written without ever waiting for its reader."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from supervisor.control.json_form import as_json, line_of
from supervisor.control.progress import Outcome, Progress
from supervisor.control.protocol import encode, error_line
from supervisor.dataclass import replace
from supervisor.errors import PortsupError

MAX_UNREAD = 1024 * 1024  # bytes that may wait for a slow reader; more is not written, and it is dropped


class _Lines:
    """Messages as lines of the protocol; the last one is kept, because many readers are told the same in a row."""

    def __init__(self) -> None:
        self._message: object = None
        self._line = b""

    def of(self, message: object) -> bytes:
        """The line for a message, which never changes."""
        if message is not self._message:
            self._line = encode({"ok": True} | line_of(message))
            self._message = message
        return self._line


_lines = _Lines()


class Reply:
    """Where the answer to one request goes; lines to a reader that has left are dropped."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self.on_close: Callable[[], object] | None = None
        self.on_drained: Callable[[], None] | None = None  # the reader has caught up; see `is_behind`
        self.is_behind = False  # so much waits for the reader that a stream should leave things out
        self.is_next = False  # it comes before what the same client asks next is looked at
        self.is_over = False  # nothing more is to be said
        self.on_over: Callable[[], object] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nobody reads any more."""
        return self._transport.is_closing()

    def tell(self, message: object) -> None:
        """One line of the answer, what is None left out."""
        if not self.is_closed:
            self._write(_lines.of(message))

    async def tell_in_parts(self, message: Any, key: str, pause: Callable[[], Awaitable[object]]) -> None:
        """One line for a message of which `key` has so many others, listed or by name, that it waits after each."""
        parts, many = [], getattr(message, key)
        is_object = isinstance(many, Mapping)
        for each in many.items() if is_object else many:
            parts.append(encode({each[0]: as_json(each[1])})[1:-2] if is_object else encode(as_json(each))[:-1])
            await pause()
        nothing: Any = {} if is_object else ()
        rest = encode({"ok": True} | line_of(replace(message, **{key: nothing})))
        if not self.is_closed:
            empty = encode({key: nothing})[1:-2]
            self._write(rest.replace(empty, empty[:-1] + b",".join(parts) + empty[-1:], 1))

    def conclude(self, results: Sequence[Outcome]) -> None:
        """The last line of a stream: how it went."""
        self.tell(Progress(results=tuple(results), end=True))
        self.finish()

    def finish(self) -> None:
        """That was the answer."""
        self.is_over = True
        if self.on_over is not None:
            self.on_over()

    def fail(self, error: PortsupError) -> None:
        """The answer that it could not be done."""
        self._write(encode(error_line(error)))
        self.finish()

    def _write(self, line: bytes) -> None:
        if self.is_closed:
            return
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            self._transport.abort()
            return
        send(self._transport, line)


def send(transport: asyncio.WriteTransport, data: bytes) -> None:
    """Writes now or later; a client for whom the loop cannot watch the connection loses it."""
    try:
        transport.write(data)
    except OSError:
        transport.abort()
