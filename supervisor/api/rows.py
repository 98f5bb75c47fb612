"""How a service looks in every window: its shape, its word, its colour, one line of why, and where it stands.  Pure."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from supervisor.control.status import AT_REST, SERVES, ServiceRow, ServiceStatus
from supervisor.core.order import levels
from supervisor.words import answers


class Look(StrEnum):
    """What kind of state a service is in, for the eye."""

    READY = "ready"
    STARTING = "starting"  # on its way, up or down
    IDLE = "idle"
    STOPPED = "stopped"
    UNHEALTHY = "unhealthy"  # something is wrong, and portsup works on it
    FAILED = "failed"


SHAPES: Mapping[Look, str] = {
    Look.READY: "●", Look.STARTING: "◐", Look.IDLE: "◌", Look.STOPPED: "○", Look.UNHEALTHY: "▲", Look.FAILED: "✕",
}  # fmt: skip
PLAIN_SHAPES: Mapping[Look, str] = {
    Look.READY: "*", Look.STARTING: "~", Look.IDLE: ".", Look.STOPPED: "-", Look.UNHEALTHY: "!", Look.FAILED: "x",
}  # fmt: skip
# Of the palette of Okabe and Ito, which the colour-blind can tell apart; darkened or lightened to a contrast of 4.5:1.
ON_DARK: Mapping[Look, str] = {
    Look.READY: "#2fbf8f", Look.STARTING: "#56b4e9", Look.IDLE: "#b8b8b8", Look.STOPPED: "#a6a6a6",
    Look.UNHEALTHY: "#e69f00", Look.FAILED: "#ff7f50",
}  # fmt: skip
ON_LIGHT: Mapping[Look, str] = {
    Look.READY: "#006b4e", Look.STARTING: "#005a8f", Look.IDLE: "#5a5a5a", Look.STOPPED: "#5a5a5a",
    Look.UNHEALTHY: "#7a5200", Look.FAILED: "#a63c00",
}  # fmt: skip
_BROKEN = (Look.FAILED, Look.UNHEALTHY)


def look_of(row: ServiceStatus) -> Look:
    """The kind of state that it is in."""
    match row.state:
        case "running":
            is_whole = not row.replicas or row.ready == len(row.replicas)
            return Look.READY if is_whole and row.health != "unhealthy" else Look.UNHEALTHY
        case "idle":
            return Look.IDLE
        case "stopped":
            return Look.STOPPED
        case "exited":
            return Look.STOPPED if row.is_fine or not row.exit_code else Look.FAILED
        case "failed":
            return Look.FAILED
        case "backoff":
            return Look.UNHEALTHY
    return Look.STARTING


def is_stopped(row: ServiceStatus) -> bool:
    """Whether it can be started, rather than stopped."""
    return row.pid is None and row.state in AT_REST | {"idle"}


def word_of(row: ServiceStatus) -> str:
    """The word beside the shape: its state, or what is more to the point."""
    if row.state == "running" and row.health == "unhealthy":
        word = "unhealthy"
    else:
        word = "done" if row.state == "exited" and row.is_done else row.state
    return f"{word} {row.ready_words}" if row.replicas else word


def why_of_row(row: ServiceStatus) -> str:
    """Why it is not as it should be, or what it says it does, in one line; empty where there is nothing to tell."""
    taken = [answers.taken(port.port, port.holder) for port in row.pool if port.state == "taken" and port.holder]
    why = row.reason or replica_words(row) or roll_words(row)
    told = why or (taken[0] if taken and row.port is None else "") or row.status_text or ""
    return " ".join(told.split())


def waits(row: ServiceStatus, needs: Mapping[str, Collection[str]], rows: Mapping[str, ServiceStatus]) -> str:
    """Whom a service waits for that cannot start yet, "" for all others; `needs` has by service what it depends on."""
    if row.state != "waiting":
        return ""
    its = needs.get(row.name, ())
    late = [rows[name] for name in its if name in rows]
    names = [each.name for each in late if not (each.is_done if each.one_shot else each.serves)]
    return answers.waits_for_needs(names) if names else ""


def replica_words(row: ServiceStatus) -> str:
    """Which of several replicas are not ready, and why; empty where all are, or there is one."""
    away = [each for each in row.replicas or () if each.state not in SERVES]
    return "; ".join(answers.away(each.name, each.state, each.reason) for each in away if each.state != row.state)


def roll_words(row: ServiceRow) -> str:
    """That a rolling restart is under way, "" if none is."""
    beside = row.beside
    if beside is None:
        return ""
    return answers.rolling(row.pid, beside.pid, beside.state)


def ordered(rows: Sequence[ServiceStatus], needs: Mapping[str, Collection[str]]) -> list[ServiceStatus]:
    """Those that are broken first, the others behind what they need; `needs` has by service what it depends on."""
    graph = {row.name: tuple(needs.get(row.name, ())) for row in rows}
    try:
        level = {name: number for number, names in enumerate(levels(graph)) for name in names}
    except ValueError:  # services.yaml is being changed
        level = {}
    return sorted(rows, key=lambda row: (look_of(row) not in _BROKEN, level.get(row.name, 0)))


def needed_by(names: Collection[str], needs: Mapping[str, Collection[str]]) -> list[str]:
    """The services that depend on one of these, by others too, and are none of them."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        need = waiting.pop()
        for name, its in needs.items():
            if need in its and name not in found and name not in names:
                found[name] = None
                waiting.append(name)
    return [name for name in needs if name in found]
