"""What screens have that are about one service: the keys that have something done to it, and what keeps them honest."""

import time
from math import inf

from supervisor.api.rows import is_stopped
from supervisor.api.values import ServiceStatus
from supervisor.tui.ask import UNSEEN
from supervisor.tui.live import Live
from supervisor.words import view


class OneService(Live):
    """A screen with a service that keys act on."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped: dict[str, bool] = {}
        self._turned: dict[str, float] = {}  # when what starts or stops it became the other
        self._jumped = -inf  # when another service came under the cursor by itself

    @property
    def row(self) -> ServiceStatus | None:
        """The service that keys act on."""
        raise NotImplementedError

    def notice(self) -> None:
        """To be called with each change, before it is drawn."""
        now = time.monotonic()
        for row in self.top.rows:
            if self._stopped.setdefault(row.name, is_stopped(row)) != is_stopped(row):
                self._stopped[row.name] = is_stopped(row)
                self._turned[row.name] = now

    def jumped(self) -> None:
        """Another service is under the cursor, and nobody has moved it."""
        self._jumped = time.monotonic()

    def _meant(self) -> ServiceStatus | None:
        """The service that somebody means who has pressed a key; None where it cannot have been seen yet."""
        if (row := self.row) is not None and time.monotonic() - self._jumped < UNSEEN:
            self.notify(view.just_came(row.name), severity="warning", timeout=3)
            return None
        return row

    def action_order(self, what: str) -> None:
        """Has something done to the service."""
        if (row := self._meant()) is not None:
            self.top.order(what, [row.name])

    def action_start_or_stop(self) -> None:
        """Starts what does not run, and stops what does; the whole stack where nothing runs."""
        if self.top.following.ended is not None:
            self.top.order("start", [])
        elif (row := self._meant()) is None:
            return
        elif time.monotonic() - self._turned.get(row.name, -inf) < UNSEEN:
            self.notify(view.just_became(row.name, row.state), severity="warning", timeout=3)
        else:
            self.top.order("start" if is_stopped(row) else "stop", [row.name])

    def action_open(self) -> None:
        """Opens the service in the browser."""
        if (row := self.row) is not None:
            self.top.open_page(row)

    def action_copy(self) -> None:
        """Copies its URL, or its port where it has none."""
        row = self.row
        if row is not None and (text := row.name_url or row.url or (str(row.port) if row.port else "")):
            self.top.copy(text, text)
