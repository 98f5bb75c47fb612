"""What services cost, held against the budget of their stack."""

from collections.abc import Mapping

from supervisor.config.fields import Fields, Found
from supervisor.config.report import Report
from supervisor.config.spec import Start
from supervisor.errors import Missing

COSTS = {"memory": "memory_cost", "gpu_memory": "gpu_memory_cost"}


def check(stack: Fields, services: Mapping[str, Found], report: Report) -> None:
    """Reports what cannot be, or is of no use."""
    costly = {cost: [name for name, each in services.items() if each.value.get(cost)] for cost in COSTS.values()}
    if "budget" not in stack.found:
        for cost, names in costly.items():
            for name in names[:1]:
                place = services[name].value.found[cost].key
                report.warn(place, f"services.{name}.{cost}: there is no `budget` that it is taken from")
        return
    budget: Fields | None = stack.get("budget")
    if budget is None:
        return
    for resource, cost in COSTS.items():
        limit: int = budget.get(resource, 0)
        if limit:
            _fitting(limit, resource, cost, budget, services, report)
        if limit and not costly[cost]:
            report.warn(budget.at(resource), f"budget.{resource}: no service has a `{cost}`")
    for name in costly["memory_cost"][:1]:
        if "memory" not in budget.found:
            reason = f"services.{name}.memory_cost: there is no `memory` in `budget` that it is taken from"
            report.error(services[name].value.found["memory_cost"].key, reason, "write `budget: {memory: 6GB}`")
    for name in costly["gpu_memory_cost"][:1]:
        if "gpu_memory" not in budget.found and not _can_ask():
            missing = Missing("gpu", ImportError(name="pynvml"))
            place = services[name].value.found["gpu_memory_cost"].key
            reason = f"services.{name}.gpu_memory_cost: portsup cannot ask how much there is, {missing.why}"
            report.error(place, reason, f"{missing.hint}, or write `budget: {{gpu_memory: 20GB}}`")


def _fitting(
    limit: int, resource: str, cost: str, budget: Fields, services: Mapping[str, Found], report: Report
) -> None:
    """Whoever cannot start beside those that are never stopped for another would wait in vain."""
    costs = {name: each.value.get(cost, 0) * each.value.get("replicas", 1) for name, each in services.items()}
    stay = {name: costs[name] for name, each in services.items() if _stays(each.value)}
    if sum(stay.values()) > limit:
        names = ", ".join(f"`{name}`" for name, each in stay.items() if each)
        reason = f"budget.{resource}: the services that start with the stack and are never stopped cost more: {names}"
        report.error(budget.at(resource), reason, f"raise it, lower a `{cost}`, or give one of them `idle_stop`")
        return
    for name, found in services.items():
        others = sum(each for other, each in stay.items() if other != name)
        if costs[name] > limit - others:
            beside = " in addition to the services that portsup never stops" if others else ""
            reason = f"services.{name}.{cost}: more than `budget` has{beside}, so it would never start"
            report.error(found.value.at(cost), reason, f"raise `{resource}` of `budget`, or lower this")


def _stays(fields: Fields) -> bool:
    """Whether a service runs all the time once the stack is up."""
    waits = fields.get("start") == Start.ON_CONNECT or fields.get("idle_stop") or fields.get("one_shot")
    is_optional = not fields.get("autostart", True) or fields.get("profiles")
    return not waits and not is_optional


def _can_ask() -> bool:
    from importlib.util import find_spec

    return find_spec("pynvml") is not None
