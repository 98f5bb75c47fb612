"""Writes its epoch into a file again and again, after a look whether a later one has written: `writer.py FOLDER`.

`epochs` gets a line for each run, `refused` one for each attempt to write after a later epoch.  It listens on PORT, if
there is one.
"""

import fcntl
import os
import socket
import sys
import time
from pathlib import Path

folder, epoch = Path(sys.argv[1]), int(os.environ["PORTSUP_EPOCH"])
if "PORT" in os.environ:
    server = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def note(name: str, line: str) -> None:
    with open(folder / name, "a") as file:
        file.write(f"{line}\n")


def write(name: str, text: str) -> None:
    """The whole text, or what was there before, where we are killed meanwhile."""
    (folder / f".{name}.{epoch}").write_text(text)
    (folder / f".{name}.{epoch}").rename(folder / name)


def last() -> int:
    try:
        return int((folder / "last").read_text())
    except (FileNotFoundError, ValueError):
        return 0


note("epochs", f"{epoch} {os.getpid()} {time.time():.3f}")
with open(folder / "lock", "a") as lock:
    while True:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if last() > epoch:
            note("refused", f"{epoch} {os.getpid()} {time.time():.3f}")
            sys.exit(1)
        write("last", str(epoch))
        moment = f"{time.time():.6f}"
        if not (folder / f"first.{epoch}").exists():
            write(f"first.{epoch}", moment)
        write(f"at.{epoch}", moment)
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(0.005)
