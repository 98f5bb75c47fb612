"""What stands in the cells of the overview: short texts of figures.  Pure."""

from collections.abc import Sequence
from datetime import datetime

from supervisor.api.rows import PLAIN_SHAPES, SHAPES, look_of, word_of
from supervisor.api.values import PortStatus, ServiceStatus
from supervisor.words import view

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.-=+*#@"
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def state_cell(row: ServiceStatus, *, plain: bool = False, is_now: bool = True) -> str:
    """Shape and word of a state; no shape and `was` once nobody tells of it any more."""
    if not is_now:
        return f"  {view.was(word_of(row))}"
    return f"{(PLAIN_SHAPES if plain else SHAPES)[look_of(row)]} {word_of(row)}"


def pool_cell(row: ServiceStatus) -> str:
    """The port, and how many there are beside it: `6000 of 3`."""
    if not row.pool:
        return "-" if row.port is None else str(row.port)
    return f"{'-' if row.port is None else row.port} of {len(row.pool)}"


def url_cell(row: ServiceStatus) -> str:
    """Where a browser finds it, by its name if it has one; without `http://`."""
    return (row.name_url or row.url or "-").removeprefix("http://")


def port_cell(port: PortStatus, *, plain: bool = False, is_now: bool = True) -> str:
    """A port of a pool as shape and words; no shape and `was` once nobody tells of it any more."""
    if not is_now:
        return f"  {port.port} {view.was(port.state)}"
    shapes = {"active": "●*", "spare": "○-", "taken": "✕x", "quarantined": "◌."}
    shape = shapes.get(port.state, "??")[plain]
    return f"{shape} {port.port} {port.state}" + (f": {port.holder}" if port.holder else "")


def age_cell(seconds: float | None) -> str:
    """An age in one unit: `14s`, `3m`, `2h`, `9d`."""
    if seconds is None:
        return "-"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def clock_cell(time: str, *, has_day: bool = False) -> str:
    """A moment, RFC 3339, by the clock of this machine: `10:00:02`, or `2026-01-01 10:00:02`."""
    when = datetime.fromisoformat(time).astimezone()
    return when.strftime("%Y-%m-%d %H:%M:%S" if has_day else "%H:%M:%S")


def memory_cell(size: int | None) -> str:
    """Bytes with three digits: `980K`, `12.5M`, `1.20G`."""
    if size is None:
        return "-"
    amount = float(size)
    for unit in "BKMGT":
        if amount < 1000 or unit == "T":
            break
        amount /= 1024
    digits = 0 if unit in "BK" or amount >= 100 else 1 if amount >= 10 else 2
    return f"{amount:.{digits}f}{unit}"


def cpu_cell(share: float | None) -> str:
    """A share of one processor in percent."""
    return "-" if share is None else f"{100 * share:.0f}%"


def trend_cell(values: Sequence[int | None], width: int = 8, *, plain: bool = False) -> str:
    """The last values as bars between the least and the greatest of them; a gap where there is none."""
    bars = _PLAIN_BARS if plain else _BARS
    shown = values[-width:]
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = max(high - low, 1, high // 20)  # what hardly changes is a flat line
    return "".join(" " if value is None else bars[(value - low) * (len(bars) - 1) // span] for value in shown)
