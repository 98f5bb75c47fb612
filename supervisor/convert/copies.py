"""Several copies of one service: its replicas, or services of their own."""

from copy import deepcopy

from supervisor.convert.draft import Draft, Left, Outcome
from supervisor.core.replicas import MOST as MOST_REPLICAS

MOST = 32


def share(draft: Draft, number: int) -> bool:
    """Have one service run so many processes; whether it can."""
    if number > MOST_REPLICAS or any(key in draft.fields for key in ("one_shot", "pid_file", "stdio")):
        return False
    draft.fields["replicas"] = number
    return True


def spread(outcome: Outcome, wanted: dict[str, int], first: int = 1) -> None:
    """Write services NAME-1 to NAME-N for those that `wanted` has more than one of; who waits for one waits for all."""
    names: dict[str, list[str]] = {}
    services: list[Draft] = []
    for service in outcome.services:
        number = wanted.get(service.name, 1)
        if number < 2:
            services.append(service)
            continue
        if number > MOST:
            why = f"these are {number} copies, {MOST} are written"
            outcome.left.append(Left(f"the copies of `{service.name}`", why, "add the others by hand"))
        names[service.name] = [f"{service.name}-{each}" for each in range(first, first + min(number, MOST))]
        for at, name in enumerate(names[service.name]):
            copy = deepcopy(service)
            copy.name = name
            copy.notes.insert(0, f"one of {number} copies of `{service.name}`")
            copy.hosts = [name, *(service.hosts if at == 0 else ())]
            services.append(copy)
    for service in services:
        needed = service.fields.get("depends_on", {})
        if needed.keys() & names.keys():
            service.fields["depends_on"] = {
                each: how for other, how in needed.items() for each in names.get(other, [other])
            }
    outcome.services[:] = services
