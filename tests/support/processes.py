"""Finding processes by their environment."""

import os
from pathlib import Path


def processes_with(text: str) -> dict[int, str]:
    """Pid and command of every other living process whose environment has this text; Linux only."""
    wanted, found = text.encode(), {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes():
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(process.name)] = command.strip()
        except OSError:  # gone, or not ours
            continue
    found.pop(os.getpid(), None)
    return found
