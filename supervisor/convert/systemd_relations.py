"""Which unit of systemd is started before which, needs which, and follows which when that one restarts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.convert.draft import Draft

_TARGETS = re.compile(r".*\.(target|socket|mount|path|timer|slice|device|swap|scope)")
_STRONG = ("Requires", "BindsTo", "Requisite", "PartOf")  # a stop or restart of the other one is one of this, too


def depend(draft: Draft, unit: Mapping[str, list[str]], known: set[str]) -> None:
    """Have a service wait for those of `known` that its unit names; say which of the others it needs."""
    ordered = _named(unit, "After")
    strong = _named(unit, *_STRONG)
    needed = _named(unit, "Wants") | strong
    for each in sorted(ordered | needed):
        if _TARGETS.fullmatch(each):
            continue
        name = each.removesuffix(".service")
        if name in known and name != draft.name:
            # Without an order both start at the same time.
            _add(draft, name, "ready" if each in ordered else "started", restarts=each in strong)
        elif name not in known and each in needed:
            draft.leave(f"`{each}`", "that unit is not among those converted", "see that it runs before `portsup up`")


def put_before(drafts: Sequence[Draft], before: Mapping[str, list[str]]) -> None:
    """Have those that `Before` of a unit names wait for it."""
    services = {draft.name: draft for draft in drafts}
    for name, told in before.items():
        for each in " ".join(told).split():
            other = services.get(each.removesuffix(".service"))
            if name in services and other is not None and other.name != name:
                _turn_round(services[name], other.name)
                _add(other, name, "ready", restarts=False)


def _turn_round(draft: Draft, other: str) -> None:
    """Have a service that needs another one, and is started before it, not wait for it."""
    needed = draft.fields.get("depends_on", {})
    told = needed.get(other)
    if "started" in (told, told["condition"] if isinstance(told, dict) else ""):  # `After` does not name it
        del needed[other]
        draft.leave(f"`depends_on: {other}`", f"by `Before`, `{other}` waits for it", "")
        if not needed:
            del draft.fields["depends_on"]


def _named(unit: Mapping[str, list[str]], *keys: str) -> set[str]:
    return {each for key in keys for told in unit.get(key, []) for each in told.split()}


def _add(draft: Draft, name: str, condition: str, *, restarts: bool) -> None:
    needed: dict[str, Any] = draft.fields.setdefault("depends_on", {})
    known = needed.get(name)
    restarts = restarts or isinstance(known, dict)
    needed[name] = {"condition": condition, "restart": True} if restarts else condition
