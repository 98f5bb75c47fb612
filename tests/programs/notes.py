"""Notes in a file, the first argument, when it begins, gets a signal and ends, which takes it the second's seconds.

Listens on $PORT if there is one, and then prints `ready`.
A line is `SERVICE WORD`, and the words are begins, SIGUSR1, SIGHUP, ends and ended.
"""

import os
import signal
import socket
import sys
import time

file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
name = os.environ["PORTSUP_SERVICE"]


def note(word: str) -> None:
    os.write(file, f"{name} {word}\n".encode())


def end(number: int, frame: object) -> None:
    note("ends")
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)
    note("ended")
    os._exit(0)


signal.signal(signal.SIGTERM, end)
for number in (signal.SIGUSR1, signal.SIGHUP):
    signal.signal(number, lambda number, _: note(signal.Signals(number).name))
note("begins")
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) if "PORT" in os.environ else None
print("ready", flush=True)
while True:
    signal.pause()
