"""What may not be there once a stack is over, whatever failed while it lived."""

import json
import re
from collections.abc import Sequence

from tests.faults.patience import Limit
from tests.live.stack import Live, is_free, is_locked
from tests.support.processes import processes_with

GONE = 5.0  # seconds for processes to be gone
FREE = 2.0  # seconds for ports to be free
# All that may be in the two directories while nothing runs.
KNOWN = re.compile(
    r"(ports/\d+\.(lock|json)|instances/[\w-]+\.(lock|json))"
    r"|(folders\.(json|lock)|t-1/(portsup\.log|[\w@]+\.log(\.idx)?)(\.\d+)?)"
)


def what_is_left(
    live: Live, ports: Sequence[int], *, may_be_left: bool = False, may_be_half: bool = False
) -> list[str]:
    """What is wrong, in words: processes, locks, ports, files that are half or nobody's, mistakes in the journal.

    `may_be_left`: files could not be removed, so those that nobody knows say nothing.  `may_be_half`: the same holds
    for those that were to take the place of another, which have names of their own and stay.
    """
    runtime = f"={live.runtime}"
    Limit(runtime, GONE).eventually(lambda: not processes_with(runtime))
    if left := processes_with(runtime):
        return [f"processes are left: {left}"]
    wrong = []
    for folder in (live.runtime, live.state):
        for path in folder.rglob("*"):
            if path.is_dir():
                continue
            if path.suffix == ".lock" and is_locked(path):
                wrong.append(f"`{path.name}` is locked")
            if not KNOWN.fullmatch(str(path.relative_to(folder))):
                is_excused = may_be_left or (may_be_half and path.suffix == ".new")
                wrong += [] if is_excused else [f"`{path.name}` is left"]
            elif path.suffix == ".json" and not _is_whole(text := path.read_text(errors="replace").strip()):
                wrong.append(f"`{path.name}` holds {text!r}")
    Limit(runtime, FREE).eventually(lambda: all(map(is_free, ports)))
    wrong += [f"port {port} is not free" for port in ports if not is_free(port)]
    return wrong + [f"journal: {line}" for line in journal(live) if is_of_a_mistake(line)]


def journal(live: Live) -> list[str]:
    """The lines of portsup.log."""
    path = live.state / "t-1" / "portsup.log"
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def is_of_a_mistake(text: str) -> bool:
    """Whether this tells of an exception that nobody expected."""
    return "Traceback" in text or "internal error of portsup" in text


def _is_whole(text: str) -> bool:
    try:
        return not text or json.loads(text) is not None
    except ValueError:
        return False
