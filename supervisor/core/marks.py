"""The number by which a process is known beside its environment, which programs overwrite and shells clear.  Pure.

A mark tells the run of portsup and which start of that run it was.  Where processes carry it, and why it stays with
them, stands in `system.linux_origin`.
"""

from collections.abc import Collection

STARTS = 1 << 22  # in one run, before their numbers begin anew
LARGEST = 1 << 62  # below this are all marks
_DIGITS = 10  # of a run id that its marks begin with: 40 bits
_LEAST = 1 << 16  # runs that there must be room for: else two could have the same marks


def part_of(run_id: str) -> int:
    """What all marks of a run begin with; 0 for an id that has no marks."""
    try:
        return max(int(run_id[:_DIGITS], 16), 0)
    except ValueError:
        return 0


def mark(run_id: str, invocation: str) -> int:
    """The mark of one start of a run; 0 where there is none."""
    return part_of(run_id) * STARTS + _number(invocation) % STARTS if part_of(run_id) else 0


def is_of_run(marks: Collection[int], run_id: str) -> bool:
    """Whether one of the marks of a process is of this run."""
    part = part_of(run_id)
    return part > 0 and any(each // STARTS == part for each in marks)


def run_id(room: int, number: int, rest: str) -> str:
    """A run id whose marks are all below `room`; `number` is a random one of 40 bits, `rest` random hexadecimal digits.

    An id without marks where there is no room for them.
    """
    most = min(room, LARGEST) // STARTS - 1
    part = number % most + 1 if most >= _LEAST else 0
    return f"{part:0{_DIGITS}x}{rest}"


def _number(invocation: str) -> int:
    return int(invocation) if invocation.isascii() and invocation.isdigit() else 0
