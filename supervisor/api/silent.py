"""Connections that ask nothing: however many somebody opens, they keep nobody else out.

Every user of the machine can connect to a server on the loopback, and needs neither cookie nor token to say nothing
there, or half a request.  uvicorn counts such a connection like any other, and waits for it without end.
"""

from typing import Any


def impatient(protocol: type[Any], most: int) -> type[Any]:
    """A class of connections for the `http` of a `uvicorn.Config`; `protocol` is uvicorn's own, `H11Protocol`.

    At most so many of them may ask nothing at a time, those counted that have had their answer: beyond that the one
    that has been silent for longest is closed.
    """
    silent: dict[Any, None] = {}

    class Impatient(protocol):  # type: ignore[misc]
        """A connection that is closed where it has nothing to ask and others wait."""

        def connection_made(self, transport: Any) -> None:
            """It has been opened."""
            super().connection_made(transport)
            self._is_silent()

        def connection_lost(self, exc: Exception | None) -> None:
            """It has been closed."""
            silent.pop(self, None)
            super().connection_lost(exc)

        def handle_events(self) -> None:
            """Something has come: perhaps a whole request."""
            super().handle_events()
            if self.cycle is not None and not self.cycle.response_complete:
                silent.pop(self, None)

        def on_response_complete(self) -> None:
            """It has its answer; what follows at once may be a request already."""
            super().on_response_complete()
            if not self.transport.is_closing() and self.cycle.response_complete:
                self._is_silent()

        def _is_silent(self) -> None:
            silent[self] = None
            if len(silent) > most:
                longest = next(iter(silent))
                del silent[longest]
                longest.transport.close()

    return Impatient
