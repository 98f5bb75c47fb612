"""What a service says of itself, sd_notify(3), read from its datagrams.  Pure."""

from supervisor.dataclass import dataclass

LONGEST = 4096  # bytes of a datagram; systemd takes no longer ones either (NOTIFY_BUFFER_MAX)
LONGEST_STATUS = 400  # characters that are kept
LONGEST_SPAN = 365 * 86400.0  # seconds; what is longer counts as for ever
# What the bridge of a service with `stdio` says; names with X_ are free, sd_notify(3).
SESSIONS, PROGRAMS = "X_PORTSUP_SESSIONS", "X_PORTSUP_PROGRAMS"
_MOST_DIGITS = 20  # of a 64-bit number


@dataclass(frozen=True, slots=True)
class Notification:
    """One datagram; spans are in seconds."""

    is_ready: bool = False
    is_reloading: bool = False
    is_stopping: bool = False
    is_alive: bool = False  # WATCHDOG=1
    is_hung: bool = False  # WATCHDOG=trigger
    status: str | None = None
    main_pid: int | None = None
    watchdog: float | None = None  # 0: none any more
    extension: float = 0.0  # how long the present step will take from now on
    sessions: int | None = None  # that a bridge has open
    programs: int | None = None  # that it runs


def parse(datagram: bytes) -> Notification | None:
    """What a datagram says, None for one that cannot be read; what is not known or makes no sense is left out."""
    if not datagram or len(datagram) > LONGEST or b"\0" in datagram[:-1]:
        return None
    pairs = (line.partition("=") for line in datagram.rstrip(b"\0").decode(errors="replace").split("\n"))
    said = {name: value for name, sign, value in pairs if sign}
    if not said:
        return None
    status = said.get("STATUS")
    main_pid = _number(said.get("MAINPID", ""))
    watchdog = _number(said.get("WATCHDOG_USEC", ""))
    extension = _number(said.get("EXTEND_TIMEOUT_USEC", ""))
    return Notification(
        is_ready=said.get("READY") == "1",
        is_reloading=said.get("RELOADING") == "1",
        is_stopping=said.get("STOPPING") == "1",
        is_alive=said.get("WATCHDOG") == "1",
        is_hung=said.get("WATCHDOG") == "trigger",
        status=None if status is None else _plain(status),
        main_pid=main_pid if main_pid is not None and 0 < main_pid < 2**31 else None,
        watchdog=None if watchdog is None else _span(watchdog, forever=0.0),
        extension=_span(extension or 0, forever=LONGEST_SPAN),
        sessions=_number(said.get(SESSIONS, "")),
        programs=_number(said.get(PROGRAMS, "")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _span(microseconds: int, forever: float) -> float:
    seconds = microseconds / 1e6
    return seconds if seconds <= LONGEST_SPAN else forever


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text[:LONGEST_STATUS]).strip()
