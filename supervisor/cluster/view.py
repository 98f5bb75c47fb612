"""What nodes tell each other of the services, and how it looks from one of them.  Pure."""

from collections.abc import Mapping
from typing import Any

from supervisor.core.address import LOOPBACK, url_of
from supervisor.core.state import ENDED

Facts = Mapping[str, Any]  # what the registry knows of a service
Table = Mapping[str, Facts]  # by service

LATE = 3.5  # seconds without a word after which nobody knows how a service is
_REACHED = ("none", "started", "listening", "ready")


def seen_from(table: Table, node: str, pools: Mapping[str, list[int]]) -> dict[str, dict[str, Any]]:
    """Where the services are for programs on `node`: those with a port, by name, as in the endpoints file.

    One that nobody there can reach, because it is not exposed or not placed, is where it would be first.
    """
    found = {}
    for name, pool in pools.items():
        if not pool:
            continue
        facts = table.get(name, {})
        is_reached = facts.get("expose") or facts.get("node_id") == node
        port = (facts.get("port") if is_reached else None) or pool[0]
        host = facts.get("address") or LOOPBACK if is_reached else LOOPBACK
        found[name] = {"port": port, "host": host, "url": url_of(host, port), "pool": list(pool)}
    return found


def document(stack: str, instance: int, services: Mapping[str, Any], here: str = "") -> dict[str, Any]:
    """What the endpoints file holds; `here` is the service that it is for."""
    return {"stack": stack, "instance": instance, "here": here, "services": dict(services)}


def is_met(condition: str, facts: Facts) -> bool:
    """Whether a service that another one needs has come as far as that asks."""
    state, has_ended = facts.get("state", ""), facts.get("state") in ENDED
    match condition:
        case "completed":
            return has_ended
        case "completed_ok":
            return bool(facts.get("is_done"))
        case "started" if has_ended:
            return True
    if facts.get("is_done"):
        return True
    is_live = state not in ("", "stopped", "unknown", "backoff", *ENDED)
    return is_live and _REACHED.index(facts.get("reached", "none")) >= _REACHED.index(condition)


def missing(needs: Mapping[str, str], table: Table) -> list[str]:
    """The services that are not as far as `needs` asks, by name."""
    return [name for name, condition in needs.items() if not is_met(condition, table.get(name, {}))]


def place_of(facts: Facts) -> tuple[Any, ...]:
    """Where a service is, for those that must learn of a move."""
    return (facts.get("node_id"), facts.get("address"), facts.get("port"))


def process_of(facts: Facts) -> tuple[Any, ...]:
    """Which process of a service that is, for those that are restarted after it."""
    return (facts.get("epoch"), facts.get("pid"))
