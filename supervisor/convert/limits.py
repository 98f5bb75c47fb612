"""What a service may use of the machine."""

import re
from collections.abc import Callable
from typing import Any

from supervisor.convert.draft import Draft, Outcome
from supervisor.convert.values import mapping, memory, whole

_BYTES = 2**62
# By their names in setrlimit(2), those in `limits`.
NAMES = {
    "nofile": "nofile", "nproc": "nproc", "as": "address_space", "cpu": "cpu_time", "fsize": "file_size",
    "core": "core", "stack": "stack", "memlock": "memlock",
}  # fmt: skip
# The least and the most that `limits` takes, besides `unlimited`.
_RANGES = {
    "nofile": (16, 2**30), "nproc": (1, 2**30), "address_space": (2**20, _BYTES), "cpu_time": (1, 365 * 24 * 3600),
    "file_size": (0, _BYTES), "core": (0, _BYTES), "stack": (2**16, _BYTES), "memlock": (0, _BYTES),
}  # fmt: skip
_ENDLESS = ("-1", "infinity", "unlimited")


def carry(draft: Draft, given: dict[str, Any]) -> None:
    """Give a service its limits of memory and of setrlimit(2); the rest of `deploy` is noted."""
    deploy = mapping(given.get("deploy"))
    resources = mapping(deploy.get("resources"))
    limits = mapping(resources.get("limits"))
    if most := given.get("mem_limit") or limits.get("memory"):
        remedy = "set `memory_limit`, at least 1MB"
        draft.carry("memory_limit", memory(most), f"the memory limit `{most}`", remedy)
        if "memory_limit" in draft.fields:
            draft.notes.append("above its `memory_limit` portsup restarts it; in a container the kernel ended it")
    told = [*(deploy.keys() - {"restart_policy", "resources", "replicas"})]
    told += [f"resources.{key}" for key in resources.keys() - {"limits"}]
    told += [f"resources.limits.{key}" for key in limits.keys() - {"memory"}]
    if told:
        names = ", ".join(sorted(told))
        why = "they are of a cluster, or of a container"
        draft.leave(f"`deploy`: {names}", why, "see whether you need them", source={"deploy": deploy})
    for name, value in mapping(given.get("ulimits")).items():
        soft = value.get("soft", value.get("hard")) if isinstance(value, dict) else value
        set_limit(draft, NAMES.get(name, ""), soft, f"`ulimits`: {name}")


def set_limit(draft: Draft, name: str, told: Any, what: str) -> None:
    """Give a service this limit, `told` as a number or for none, by its name in `limits`; noted where it has none."""
    found: int | str | None = None
    if name:
        endless = str(told).strip().lower() in _ENDLESS
        found = "unlimited" if endless else whole(told, *_RANGES[name])
    if found is None:
        draft.leave(what, "there is no such limit here, or it has another range", "see `limits`")
    else:
        draft.fields.setdefault("limits", {})[name] = found


def keep_within(outcome: Outcome, most: Callable[[str], float]) -> None:
    """Lower the limits that this machine does not allow: `most` gives the highest of each, by its name in `limits`."""
    for draft in outcome.services:
        for name, value in draft.fields.get("limits", {}).items():
            if isinstance(value, int) and value > (highest := most(name)):
                draft.fields["limits"][name] = int(highest)
                draft.notes.append(f"`{name}: {value}` is above {int(highest)}, the most that this system allows")


def in_bytes(told: str) -> str:
    """`8M` of systemd.syntax(7) as a plain number; what is none stays as it is."""
    found = re.fullmatch(r"(\d{1,15})([KMGTPE])", told.strip())
    return str(int(found[1]) * 1024 ** (" KMGTPE".index(found[2]))) if found else told
