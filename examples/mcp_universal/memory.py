"""How much memory the programs in a box use together, which no limit of a single process bounds.

RLIMIT_DATA counts the private memory of one process. Shared memory, files in memory and many processes are counted
here, from outside, by looking often: /proc tells it to whoever made the box, root or not, and wherever cgroups may not
be used.
"""

import mmap
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def used(root: int, enough: int) -> int:
    """Bytes that a process and its descendants use together; exact only where it is more than `enough`.

    What they share counts once. Raises nothing: a process that has ended uses nothing.
    """
    pids = list(tree(root))
    in_files = _in_files(pids)
    # Cheap, and never too little: pages that are shared count for everybody who has them.
    most = sum(map(_resident, pids)) + in_files
    return most if most <= enough else sum(map(_proportional, pids)) + in_files


def tree(root: int) -> Iterator[int]:
    """A process and its descendants; orphans in a box are children of its first process again."""
    yield root
    try:
        threads = os.listdir(f"/proc/{root}/task")
    except OSError:
        return
    for thread in threads:
        try:
            children = Path(f"/proc/{root}/task/{thread}/children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    """Its share of what it uses together with others: PSS, in proc(5)."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return _resident(pid)
    return 0


def _in_files(pids: list[int]) -> int:
    """Bytes in files in memory (memfd_create) that somebody has open; they need not be mapped anywhere."""
    files: dict[tuple[int, int], int] = {}
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            path = f"/proc/{pid}/fd/{name}"
            try:
                if os.readlink(path).startswith("/memfd:"):
                    status = os.stat(path)
                    if stat.S_ISREG(status.st_mode):
                        files[status.st_dev, status.st_ino] = status.st_blocks * 512
            except OSError:
                continue
    return sum(files.values())
