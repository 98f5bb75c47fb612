"""The `priority` of supervisord as `depends_on`: what has a lower one is started before."""

from collections.abc import Mapping, Sequence

from supervisor.convert.draft import Draft
from supervisor.convert.supervisord_files import Section
from supervisor.convert.values import whole

DEFAULT = 999


def rank(name: str, keys: Mapping[str, str], sections: Sequence[Section]) -> int:
    """What decides when a program is started: the priority of its group, whose programs start together, or its own."""
    group = _group(name, sections)
    return _number(group.keys if group else keys)


def group_of(name: str, sections: Sequence[Section]) -> str:
    """The group that a program is in, which is called as the program is where no other has it."""
    group = _group(name, sections)
    return group.name.partition(":")[2].strip() if group else name


def _group(name: str, sections: Sequence[Section]) -> Section | None:
    for section in sections:
        kind, _, _ = section.name.partition(":")
        if kind.strip() == "group" and name in section.keys.get("programs", "").replace(",", " ").split():
            return section
    return None


def _number(keys: Mapping[str, str]) -> int:
    found = whole(keys.get("priority", ""), 0, 10**9)
    return DEFAULT if found is None else found


def depend(
    services: Sequence[Draft], ranks: Mapping[str, int], rule: str = "what has a lower one is started first"
) -> None:
    """Make each program wait for the start of those with the next lower rank; `rule` says so of its `priority`."""
    ordered = sorted({ranks[each.name] for each in services if each.fields.get("autostart", True)})
    for service in services:
        if not service.fields.get("autostart", True) or ranks[service.name] == ordered[0]:
            continue
        before = ordered[ordered.index(ranks[service.name]) - 1]
        earlier = [each.name for each in services if ranks[each.name] == before and each.fields.get("autostart", True)]
        known = service.fields.get("depends_on", {})
        service.fields["depends_on"] = {**dict.fromkeys(earlier, "started"), **known}
        service.notes.append(f"its `priority` is {abs(ranks[service.name])}: {rule}")
