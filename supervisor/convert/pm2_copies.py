"""`instances` of pm2: several processes of one app."""

from typing import Any

from supervisor.convert import copies
from supervisor.convert.draft import Draft, Filled, Outcome
from supervisor.convert.values import mapping, whole

INSTANCE = "NODE_APP_INSTANCE"


def name_of(given: dict[str, Any], number: int) -> str:
    """What pm2 calls an app: by its `name`, else by its script; `number` is its place in the file."""
    script = str(given.get("script") or "").strip()
    return str(given.get("name") or script.rpartition("/")[2].partition(".")[0] or f"app-{number}")


def count(draft: Draft, given: dict[str, Any], processors: int) -> int:
    """How many services an app becomes: one with replicas where they share a port.

    `instances` may be one for each of the `processors` of this machine, or so many less.
    """
    told = str(given.get("instances") or ("1" if given.get("instances") is None else "0"))
    less = 0 if told.strip() == "max" else whole(told.strip().removeprefix("-"), 0, 10**6)
    is_relative = told.strip() in ("max", "0") or (told.strip().startswith("-") and less is not None)
    number = max(1, processors - (less or 0)) if is_relative and processors else whole(told, 0, 10**6)
    if is_relative and processors:
        draft.notes.append(f"`instances: {told}` is {number} on this machine, by its processors")
    words = draft.fields["command"]
    is_node = isinstance(words, list) and words[0].rpartition("/")[2] in ("node", "bun")
    mode = str(given.get("exec_mode") or ("cluster" if is_node and given.get("instances") is not None else "fork"))
    shown = ", ".join(f"`{key}: {given[key]}`" for key in ("instances", "exec_mode") if given.get(key) is not None)
    if number == 1:
        return 1
    if not number:
        why = "these are one for each processor, and portsup wants a number"
        draft.leave(shown, why, "write `replicas: N`")
        return 1
    if mode.startswith("cluster") and not given.get("increment_var") and copies.share(draft, number):
        variable = str(given.get("instance_var") or INSTANCE)
        draft.notes.append(f"`PORTSUP_REPLICA` counts from 1 what `{variable}` counts from 0")
        return 1
    return number


def spread(outcome: Outcome, wanted: dict[str, int], apps: Any) -> None:
    """Write the copies, each with the variables that pm2 counts up."""
    copies.spread(outcome, wanted)
    counted = {}
    for number, item in enumerate(apps if isinstance(apps, list) else [apps], 1):
        given = mapping(item)
        if given.get("script"):
            variables = str(given.get("instance_var") or INSTANCE), str(given.get("increment_var") or "")
            counted[name_of(given, number)] = variables
    for name, number in wanted.items():
        instance, increment = counted.get(name, (INSTANCE, ""))
        for at in range(number):
            draft = next((each for each in outcome.services if each.name == f"{name}-{at + 1}"), None)
            if draft is None:
                continue
            draft.environment[instance] = str(at)
            value = draft.environment.get(increment)
            if increment == "PORT" and draft.ports:
                draft.ports = [draft.ports[0] + at]
            elif isinstance(value, str) and not isinstance(value, Filled) and value.isdecimal():
                draft.environment[increment] = str(int(value) + at)
