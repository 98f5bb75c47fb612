"""What the tools for coding agents say of a stack and its services.  Pure."""

from collections.abc import Sequence

NOT_RUNNING = "not running"
NOT_ALL_FINE = "not all are fine"
NOTHING_WRONG = "nothing has gone wrong with it in this run"
IS_UP = "it is up already"
ALL_STOPPED = "everything is stopped, and the ports are free"
IN_NO_POOL = "in none of the pools"
LEASED_ALREADY = "leased by this session already"
NO_MATCH = "no line matches"
LINES_GONE = "lines since the cursor are gone: the log was rotated"
BEYOND_TAIL = "earlier lines since the cursor are left out: ask for more by tail"
SEARCH_CUT = "not everything was searched: it took too long"
# The call that comes next.
FIX_FILE = "fix services.yaml, then up()"
FIX_IT = "fix it, then up()"
LOOK = "status(), then why(service)"
WAIT_AGAIN = "logs() shows what it does; wait() again"


def nothing_runs(last_run: str) -> str:
    """That there is no stack, and how its last run ended, "" where nothing tells."""
    return "nothing runs from this directory" + (f"; the last run: {last_run}" if last_run else "")


def not_ready_after(seconds: float) -> str:
    """That a stack takes longer to start than the call waits."""
    return f"not ready after {seconds:.0f} s"


def lines_left_out(count: int) -> str:
    """That not all lines are given."""
    return f"{count} earlier lines left out: they do not fit in max_bytes"


def more_events(service: str, cursor: str) -> str:
    """The call for those behind."""
    return f'events(service="{service}", cursor="{cursor}")' if service else f'events(cursor="{cursor}")'


def missing(left_out: int, *, is_beyond_tail: bool, has_gap: bool, is_cut: bool) -> list[str]:
    """What is not among the lines that are given, and why."""
    told = [lines_left_out(left_out)] if left_out else []
    told += [BEYOND_TAIL] if is_beyond_tail else []
    return [*told, *([LINES_GONE] if has_gap else []), *([SEARCH_CUT] if is_cut else [])]


def nothing_printed(is_since: bool) -> str:
    """That there are no lines, or none since the last look."""
    return "nothing was printed since then" if is_since else "nothing was printed"


def stop_all(stack: str, instance: int, running: Sequence[str]) -> str:
    """The question before a stack is stopped."""
    return f"Stop the stack `{stack}` (instance {instance}): {', '.join(running) or 'nothing runs'}?"
