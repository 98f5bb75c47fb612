"""Signals by name and by number: those of the system, and the real-time ones as systemd and Docker write them."""

import re
import signal

_KNOWN = {name: int(each) for name, each in signal.Signals.__members__.items()}  # SIGPOLL is SIGIO, and so on
_NAMES = {int(each): each.name for each in signal.Signals}
_FIRST, _LAST = _KNOWN.get("SIGRTMIN", 0), _KNOWN.get("SIGRTMAX", 0)
_REAL_TIME = re.compile(r"SIGRT(?:MIN\+|MAX-)\d{1,2}", re.ASCII)


def number_of(text: str) -> int | None:
    """The number of `SIGHUP`, `hup`, `SIGRTMIN+3`, `rtmax-2` or `1`; None for what is no signal on this system."""
    if re.fullmatch(r"\d{1,3}", text, re.ASCII):
        return int(text) if int(text) in {int(each) for each in signal.valid_signals()} else None
    name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
    if not _REAL_TIME.fullmatch(name):
        return _KNOWN.get(name)
    number = _FIRST + int(name[9:]) if name[8] == "+" else _LAST - int(name[9:])
    return number if _FIRST and _FIRST <= number <= _LAST else None


def name_of(number: int) -> str:
    """`SIGTERM` for 15, `SIGRTMIN+3` or `SIGRTMAX-2` for a real-time one; empty for what is no signal on this system.

    The real-time ones count from the nearer end, as kill(1) has them and Docker knows them.
    """
    if _FIRST < number < _LAST:
        is_low = number - _FIRST <= (_LAST - _FIRST) // 2
        return f"SIGRTMIN+{number - _FIRST}" if is_low else f"SIGRTMAX-{_LAST - number}"
    return _NAMES.get(number, "")


def names() -> list[str]:
    """Those that a hint may suggest."""
    return list(_NAMES.values())
