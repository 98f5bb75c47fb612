"""Says on its notify socket what it is told to by lines of the file in its arguments, and then nothing more.

`main` forks a process that stands for it and ends; `child WORDS` has a process of its own say the words; `pause` ends.
"""

import os
import signal
import socket
import sys
import time
from pathlib import Path


def say(words: str) -> None:
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(words.replace("|", "\n").encode(), f"\0{address[1:]}" if address[0] == "@" else address)


def obey(line: str) -> None:
    word, _, rest = line.partition(" ")
    match word:
        case "say":
            say(rest)
        case "child":
            if os.fork() == 0:
                say(rest)
                time.sleep(2)  # until it was looked at
                os._exit(0)
        case "main":
            parent = os.getpid()
            if os.fork():
                signal.pause()
            say(f"MAINPID={os.getpid()}|STATUS=heir of {parent}")
        case "end":
            os._exit(int(rest))
        case "orphan":  # the parent ends, and we stay
            os.kill(os.getppid(), signal.SIGKILL)


told = Path(sys.argv[1])
seen = 0
while True:
    lines = told.read_text().splitlines()
    for line in lines[seen:]:
        obey(line)
    seen = max(seen, len(lines))
    time.sleep(0.02)
