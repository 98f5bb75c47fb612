"""What a status answer says of each service: which ones were asked for, whether they are fine, how a pool reads."""

import re
from collections.abc import Mapping, Sequence

from supervisor.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Exactly these, in this order, make a line of `status --format json`.
KEYS = (
    "name",
    "instance",
    "state",
    "status",
    "health",
    "port",
    "url",
    "pid",
    "uptime_s",
    "restarts",
    "exit_code",
    "result",
    "pool",
    "beside",
    "status_text",
)
_IN_BACKTICKS = re.compile(r"`([^`]+)`")


def select(rows: "Sequence[dict[str, Any]]", names: Sequence[str]) -> "list[dict[str, Any]]":
    """The rows of the services in `names`, in the stack's order; all when there are no names; raises `NotFound`."""
    known = [row["name"] for row in rows]
    for name in names:
        if name not in known:
            from supervisor.cli.commands import did_you_mean

            hint = did_you_mean(name, known) or f"there are: {', '.join(f'`{one}`' for one in known)}"
            raise NotFound(f"cannot find `{name}`", "the running instance has no such service", hint)
    return [row for row in rows if not names or row["name"] in names]


def one(rows: "Sequence[dict[str, Any]]", name: str) -> "dict[str, Any]":
    """The row of service `name`; raises `NotFound`."""
    return select(rows, [name])[0]


def is_fine(row: "Mapping[str, Any]") -> bool:
    """Running, or done with its work, as a service that prepares something for the others is; a server never is.

    So is one that is stopped because nobody asked for it.
    """
    if row["state"] == "stopped" and row.get("optional"):
        return True
    return row["state"] == "running" or bool(row.get("is_done"))


def loop_words(loop: "Mapping[str, Any]") -> str:
    """How well the event loop of an instance is served, from what `status` tells of it."""
    doing = f", {loop['longest_stall']}" if loop["longest_stall"] else ""
    least, longest = round(1000 * loop["stall_from_s"]), round(1000 * loop["longest_stall_s"])
    return f"stalls of {least} ms and more: {loop['stalls']}; the longest turn took {longest} ms{doing}"


def roll_words(row: "Mapping[str, Any]") -> str:
    """That a rolling restart is under way, "" if none is."""
    beside = row.get("beside")
    if not beside:
        return ""
    if beside["state"] == "starting":
        return f"rolling restart: pid {beside['pid']} starts beside pid {row['pid']}"
    return f"rolling restart: pid {row['pid']} has taken over, pid {beside['pid']} is {beside['state']}"


def socket_words(sockets: "Sequence[Mapping[str, Any]] | None") -> str:
    """Where a service listens, in one cell: `127.0.0.1:6000 [::1]:9000`."""
    return " ".join(dict.fromkeys(f"{each['host']}:{each['port']}" for each in sockets or ()))


def pool_words(pool: "Sequence[Mapping[str, Any]]") -> str:
    """A pool in one cell: `6000*` is active, `6001` a spare, `6002!node` taken by node, `6003~` in quarantine."""
    return " ".join(_port_words(port) for port in pool) or "-"


def _port_words(port: "Mapping[str, Any]") -> str:
    match port["state"]:
        case "active":
            return f"{port['port']}*"
        case "taken":
            named = _IN_BACKTICKS.search(port.get("holder") or "")
            return f"{port['port']}!{named.group(1) if named else ''}"
        case "quarantined":
            return f"{port['port']}~"
        case _:
            return str(port["port"])
