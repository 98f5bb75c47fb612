"""What services are still to be told: one that is asked for together with hundreds of others waits for its turn."""

import asyncio
from collections.abc import Callable, Mapping

from supervisor.core import events as ev
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stalls import has_time


class Orders:
    """Gives orders to services, as many in one turn of the loop as it has time for, so that nobody waits for them all.

    The last order to a service is the one that counts.  `on_given` is called when there are none left.
    """

    def __init__(
        self, slots: Mapping[str, Slot], loop: asyncio.AbstractEventLoop, on_given: Callable[[], None]
    ) -> None:
        self._slots = slots
        self._loop = loop
        self._on_given = on_given
        self._orders: dict[str, ev.Event] = {}
        self._is_giving = False
        self._is_due = False
        self._only_stops = False

    def __bool__(self) -> bool:
        """Whether somebody has not been told yet."""
        return bool(self._orders)

    def give(self, orders: Mapping[str, ev.Event]) -> None:
        """Tells services, in this order, behind those that still have to be told; at once as far as there is time."""
        for name, event in orders.items():
            if self._only_stops and not isinstance(event, ev.StopRequested):
                continue  # somebody wished for it before everything was to stop, and had to wait for its turn
            self._orders.pop(name, None)
            self._orders[name] = event
        if self._orders and not self._is_due and not self._is_giving:
            self._go_on(0)

    def take_back_stop(self, name: str) -> None:
        """If this one is still to be asked to stop, it is not."""
        if isinstance(self._orders.get(name), ev.StopRequested):
            del self._orders[name]

    def end_starts(self) -> None:
        """Nobody is told anything but to stop any more, nor what was still to be told."""
        self._only_stops = True
        self._orders = {name: event for name, event in self._orders.items() if isinstance(event, ev.StopRequested)}

    def clear(self) -> None:
        """Nobody is told what was still to be told, and from now on only to stop."""
        self._only_stops = True
        self._orders.clear()

    def _go_on(self, at_least: int = 1) -> None:
        self._is_due, self._is_giving = False, True
        try:
            while self._orders:
                if at_least <= 0 and not has_time(self._loop):
                    self._is_due = True
                    self._loop.call_soon(self._go_on)
                    return
                at_least -= 1
                name = next(iter(self._orders))
                event = self._orders.pop(name)
                if name in self._slots:  # a reload may have removed it
                    self._slots[name].keeper.tell(event)
        finally:
            self._is_giving = False
        self._on_given()
