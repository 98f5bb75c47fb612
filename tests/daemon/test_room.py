"""Who waits for room in a budget, and graphics memory as a driver tells it; that of NVIDIA is made up here."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.config.spec import StackSpec
from supervisor.control.status import BudgetStatus
from supervisor.core import events as ev
from supervisor.core.budget import Budget, Cost
from supervisor.core.reasons import NoRoom
from supervisor.core.relations import Relations
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.graphics import memory_for
from supervisor.daemon.stack.room import AskGpu, Room
from supervisor.dataclass import replace
from tests.support.source import ROOT

GB = 1024**3


class FakeNvml(ModuleType):
    """Two processors with 8 GB free each; pid 7 has 3 GB of the first."""

    class NVMLError(Exception):
        pass

    def __init__(self, broken: str = "") -> None:
        super().__init__("pynvml")
        self._broken = broken

    def nvmlInit(self) -> None:
        if self._broken:
            raise self.NVMLError(self._broken)

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetMemoryInfo(self, _device: int) -> Any:
        return SimpleNamespace(free=8 * GB)

    def nvmlDeviceGetComputeRunningProcesses(self, device: int) -> list[Any]:
        mine, other = SimpleNamespace(pid=7, usedGpuMemory=3 * GB), SimpleNamespace(pid=8, usedGpuMemory=GB)
        return [mine, other] if device == 0 else []

    def nvmlDeviceGetGraphicsRunningProcesses(self, _device: int) -> list[Any]:
        raise self.NVMLError("not supported")


def test_what_is_free_and_what_the_services_have_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())
    assert memory_for([7, 9]) == {"bytes": 19 * GB}


def test_a_driver_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml("Driver Not Loaded"))
    assert memory_for([]) == {"why": "Driver Not Loaded"}
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert memory_for([]) == {"why": "the package `nvidia-ml-py` is not installed"}


class FakeSlot:
    """A service that waits, or runs, and notes what it is told."""

    def __init__(self, name: str, state: State, cost: Cost) -> None:
        self.spec = SimpleNamespace(name=name)
        pid = 7 if state is State.RUNNING else None
        self.service = replace(Service(name, (8000,), on_connect=True, can_make_room=True), state=state, pid=pid)
        self.cost = cost
        self.needs: dict[str, Any] = {}
        self.restarts_with = ()
        self.is_wanted = True
        self.told: list[ev.Event] = []
        self.keeper = SimpleNamespace(tell=self.told.append)


def room(budget: Budget, ask: AskGpu, **slots: FakeSlot) -> Room:
    members = cast(dict[str, Slot], slots)
    made = Room(members, Relations(members), lambda: None)
    made.configure(StackSpec("t", ROOT / "services.yaml", {}, budget=budget), ask)
    assert made.holds_back(members["b"])
    return made


def test_the_driver_is_asked_before_each_decision_that_is_about_its_memory() -> None:
    a, b = FakeSlot("a", State.RUNNING, Cost(0, 6 * GB)), FakeSlot("b", State.WAITING, Cost(0, 6 * GB))
    asked: list[Callable[[int | None], None]] = []
    made = room(Budget(), asked.append, a=a, b=b)
    made.look()
    made.look()
    assert (len(asked), b.told) == (1, []), "one answer is enough"
    asked.pop()(8 * GB)
    made.look()
    assert a.told == [ev.RoomNeeded("b")]
    assert b.told == [ev.RoomLacking(NoRoom("gpu_memory", 6 * GB, 2 * GB, ("a",), False))]
    assert made.status() == BudgetStatus(None, 0, 8 * GB, 6 * GB, ("b",))
    made.look()
    asked.pop()(12 * GB)  # a stranger has ended
    made.look()
    assert b.told[-1] == ev.DependenciesMet()
    assert made.waiting == ()


def test_what_nobody_knows_is_not_limited() -> None:
    a, b = FakeSlot("a", State.RUNNING, Cost(0, 6 * GB)), FakeSlot("b", State.WAITING, Cost(0, 60 * GB))
    made = room(Budget(), lambda then: then(None), a=a, b=b)
    made.look()
    made.look()
    assert (a.told, b.told) == ([], [ev.DependenciesMet()])


def test_the_driver_is_not_asked_where_the_file_says_how_much_there_is() -> None:
    a, b = FakeSlot("a", State.RUNNING, Cost(0, 6 * GB)), FakeSlot("b", State.WAITING, Cost(0, 6 * GB))
    made = room(Budget(0, 12 * GB), lambda then: pytest.fail("nobody has to be asked"), a=a, b=b)
    made.look()
    assert b.told == [ev.DependenciesMet()]
