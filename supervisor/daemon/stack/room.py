"""Holds services back until the budget has room for them, and has others stopped for that."""

from collections.abc import Callable, Mapping

from supervisor.config.spec import StackSpec
from supervisor.core import budget as rules
from supervisor.core import events as ev
from supervisor.core import stack
from supervisor.core.budget import Limits
from supervisor.core.order import with_dependencies
from supervisor.core.relations import Relations
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.service.slot import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.status import BudgetStatus

AskGpu = Callable[[Callable[[int | None], None]], None]  # answers with bytes for the services; None: nobody knows


class Room:
    """The budget of one instance, and those who wait for it, in the order in which they came."""

    def __init__(self, slots: Mapping[str, Slot], relations: Relations, look: Callable[[], None]) -> None:
        self._ask_gpu: AskGpu | None = None
        self._is_asking, self._is_told = False, False
        self._slots = slots
        self._relations = relations
        self._look_soon = look
        self._limits = Limits()
        self._queue: dict[str, None] = {}

    def configure(self, spec: StackSpec, ask_gpu: AskGpu) -> None:
        """What a services.yaml allows; `ask_gpu` where it does not say how much graphics memory there is."""
        budget = spec.budget
        self._limits = Limits() if budget is None else Limits(budget.memory or None, budget.gpu_memory or None)
        self._ask_gpu = None if budget is None or budget.gpu_memory else ask_gpu
        self._look_soon()

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who waits for room."""
        return tuple(self._queue)

    def status(self) -> "BudgetStatus | None":
        """What `status` says of the budget; None where there is none."""
        if not self._is_bounded:
            return None
        from supervisor.control.status import BudgetStatus  # late, as all that answers requests

        held = rules.held_by(self._slots)
        limits = self._limits
        return BudgetStatus(limits.memory, held.memory, limits.gpu_memory, held.gpu_memory, self.waiting)

    @property
    def _is_bounded(self) -> bool:
        return bool(self._limits) or self._ask_gpu is not None

    def round(self) -> None:
        """Strangers may have given memory back."""
        if self._queue:
            self._look_soon()

    def holds_back(self, slot: Slot) -> bool:
        """Whether a service that would start now has to wait for a `look`."""
        only_listens = slot.service.on_connect and slot.service.state is State.FAILED
        if not self._is_bounded or not slot.cost or only_listens:
            return False
        self._queue.setdefault(slot.spec.name)
        return True

    def changed(self, before: Service, after: Service) -> None:
        """A service changed; somebody may have room by now."""
        if self._queue and (slot := self._slots.get(after.name)) is not None and slot.cost:
            is_another = before.state is not after.state or before.pid != after.pid or before.beside != after.beside
            if is_another or (before.in_use, before.makes_room_for) != (after.in_use, after.makes_room_for):
                self._look_soon()

    def look(self) -> None:
        """Starts whoever has room, and sees to room for the others."""
        self._queue = {name: None for name in self._queue if name in self._slots and self._would_start(name)}
        if not self._queue:
            return
        if not self._knows_gpu():
            return
        costly = {name: slot for name, slot in self._slots.items() if slot.cost}
        plan = rules.plan(list(self._queue), costly, self._limits, self._needs_of)
        for name, why in plan.waiting.items():
            self._slots[name].keeper.tell(ev.RoomLacking(why))
        for name, by in plan.stopped.items():
            self._slots[name].keeper.tell(ev.RoomNeeded(by))
        for name in plan.admitted:
            del self._queue[name]
            self._slots[name].keeper.tell(ev.DependenciesMet())

    def _knows_gpu(self) -> bool:
        """Whether nobody has to be asked how much graphics memory there is, or just has been."""
        asked = any(self._slots[name].cost.gpu_memory for name in self._queue) and self._ask_gpu is not None
        if self._is_told or not asked:
            self._is_told = False
            return not self._is_asking
        if not self._is_asking and self._ask_gpu is not None:
            self._is_asking = True
            self._ask_gpu(self._gpu_told)
        return False

    def _gpu_told(self, found: int | None) -> None:
        self._limits = Limits(self._limits.memory, found)
        self._is_asking, self._is_told = False, True
        self._look_soon()

    def _would_start(self, name: str) -> bool:
        return isinstance(stack.gate(self._slots[name], self._slots), ev.DependenciesMet)

    def _needs_of(self, name: str) -> frozenset[str]:
        return frozenset(with_dependencies(self._relations.graph(), [name]))
