"""The HTTP side of a connection: uvicorn's, with a limit for the head of a request and answers in the one shape."""

import asyncio
from email.utils import formatdate

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from examples.web import ServiceError

# So long a client may take for the request line and the headers, from the connection or their first byte; in seconds.
HEAD_WITHIN = 10.0


class PromptProtocol(H11Protocol):
    """Closes a connection whose request does not begin, or whose headers do not end; uvicorn would wait for them."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(ServiceError("bad_request", "this is not a request in HTTP/1.1", 400))

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._stop_watching()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_WITHIN, self._too_slow)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:
            why = f"the headers did not end within {HEAD_WITHIN:g} seconds"
            self._refuse(ServiceError("request_timeout", why, 408))
        else:  # nobody waits for an answer
            self.transport.close()

    def _refuse(self, error: ServiceError) -> None:
        answer = error.response()
        headers = [*answer.raw_headers, (b"date", formatdate(usegmt=True).encode()), (b"connection", b"close")]
        try:
            for event in (
                h11.Response(status_code=error.status, headers=headers, reason=b""),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:  # an answer to an earlier request of this connection is on its way
            pass
        if self.cycle is not None and not self.cycle.response_complete:  # what the application would say is not heard
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
