"""What a status answer says of each service: which ones were asked for, whether they are fine, how a pool reads."""

from collections.abc import Sequence

from supervisor.control.status import LoopStatus, PortStatus, ServiceRow, ServiceStatus
from supervisor.dataclass import fields
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.messages import Socket

# Exactly these, in this order, make a line of `status --format json`.
KEYS = tuple(each.name for each in fields(ServiceRow))


def select(rows: Sequence[ServiceStatus], names: Sequence[str]) -> list[ServiceStatus]:
    """The rows of the services in `names`, in the stack's order; all when there are no names; raises `NotFound`."""
    known = [row.name for row in rows]
    for name in names:
        if name not in known:
            from supervisor.cli.commands import did_you_mean

            raise answers.not_found(name, did_you_mean(name, known) or answers.named(known))
    return [row for row in rows if not names or row.name in names]


def one(rows: Sequence[ServiceStatus], name: str) -> ServiceStatus:
    """The row of service `name`; raises `NotFound`."""
    return select(rows, [name])[0]


def loop_words(loop: LoopStatus) -> str:
    """How well the event loop of an instance is served, from what `status` tells of it."""
    least, longest = round(1000 * loop.stall_from_s), round(1000 * loop.longest_stall_s)
    return answers.stalls(loop.stalls, least, longest, loop.longest_stall)


def socket_words(sockets: "Sequence[Socket]") -> str:
    """Where a service listens, in one cell: `127.0.0.1:6000 [::1]:9000`."""
    return " ".join(dict.fromkeys(f"{each.host}:{each.port}" for each in sockets))


def pool_words(pool: Sequence[PortStatus]) -> str:
    """A pool in one cell: `6000*` is active, `6001` a spare, `6002!node` taken by node, `6003~` in quarantine."""
    return " ".join(_port_words(port) for port in pool) or "-"


def _port_words(port: PortStatus) -> str:
    match port.state:
        case "active":
            return f"{port.port}*"
        case "taken":
            held = port.cause or {}
            return f"{port.port}!{held.get('service') or held.get('name') or ''}"
        case "quarantined":
            return f"{port.port}~"
        case _:
            return str(port.port)
