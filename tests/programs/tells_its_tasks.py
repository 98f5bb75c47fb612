"""portsup as it is; on SIGWINCH it writes the tasks of its event loop into the file that its first argument names."""

import asyncio
import os
import signal
import sys
from collections import Counter
from types import FrameType


def tell(_number: int, _frame: FrameType | None) -> None:
    """One line for each kind of task that has not ended, and how many there are of it."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop runs in this process
        return
    found = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in tasks)
    with open(f"{FILE}.new", "w") as file:
        file.writelines(f"{count} {name}\n" for name, count in sorted(found.items()))
    os.replace(f"{FILE}.new", FILE)


FILE = sys.argv.pop(1)
signal.signal(signal.SIGWINCH, tell)

from supervisor.cli.main import main  # noqa: E402

sys.exit(main())
