"""How much memory of graphics processors there is for the services, as the driver of NVIDIA says.

Asked in a child of ours: the driver may take its time, and its library has threads.
"""

from collections.abc import Callable, Collection, Mapping

from supervisor.annotations import Any
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.processes.members import Members
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.room import AskGpu
from supervisor.words import graphics


def asker(
    inquiries: Inquiries, slots: Mapping[str, Slot], members: Members, tell_trouble: Callable[[str], None]
) -> AskGpu:
    """Asks how much there is for these services; why that is not known is told once."""
    told: set[str] = set()

    def ask(then: Callable[[int | None], None]) -> None:
        def answer(found: Any) -> None:
            found = found or {"why": graphics.NO_ANSWER}
            if "why" in found and found["why"] not in told:
                told.add(found["why"])
                tell_trouble(found["why"])
            then(found.get("bytes"))

        inquiries.ask(
            lambda: memory_for({
                pid for slot in slots.values() if slot.cost.gpu_memory for each in slot.children()
                for pid in members.of(slot, each)
            }),
            answer,
        )  # fmt: skip

    return ask


def memory_for(pids: Collection[int]) -> dict[str, Any]:
    """`bytes` that are free or used by these processes, on all graphics processors; or `why` that is not known."""
    try:
        import pynvml
    except ImportError:
        return {"why": graphics.NO_PACKAGE}
    try:
        pynvml.nvmlInit()
        devices = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        return {"bytes": sum(_memory_on(pynvml, each, pids) for each in devices)}
    except pynvml.NVMLError as error:
        return {"why": str(error)}


def _memory_on(nvml: Any, device: Any, pids: Collection[int]) -> int:
    used: dict[int, int] = {}
    for ask in (nvml.nvmlDeviceGetComputeRunningProcesses, nvml.nvmlDeviceGetGraphicsRunningProcesses):
        try:
            used |= {each.pid: each.usedGpuMemory or 0 for each in ask(device)}
        except nvml.NVMLError:  # this one does not tell
            continue
    return int(nvml.nvmlDeviceGetMemoryInfo(device).free) + sum(used.get(pid, 0) for pid in pids)
