"""What a service of compose may use of the machine."""

from typing import Any

from supervisor.convert.draft import Draft
from supervisor.convert.values import mapping, memory, whole

_BYTES = 2**62
# Their names in `limits`, the least and the most that it takes.
ULIMITS = {
    "nofile": ("nofile", 16, 2**30), "nproc": ("nproc", 1, 2**30), "as": ("address_space", 2**20, _BYTES),
    "cpu": ("cpu_time", 1, 365 * 24 * 3600), "fsize": ("file_size", 0, _BYTES), "core": ("core", 0, _BYTES),
    "stack": ("stack", 2**16, _BYTES), "memlock": ("memlock", 0, _BYTES),
}  # fmt: skip


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
        key, least, most = ULIMITS.get(name, ("", 0, 0))
        number = whole(value.get("soft", value.get("hard")) if isinstance(value, dict) else value, least, most)
        if key and number is not None:
            draft.fields.setdefault("limits", {})[key] = number
        else:
            draft.leave(f"`ulimits`: {name}", "there is no such limit here, or it has another range", "see `limits`")
