"""Starts a child that listens on $PORT and answers every connection with its pid, and waits; prints the child's pid.

The child stays in the group unless there is an argument, ignores SIGTERM and so outlives its parent.
"""

import os
import signal
import socket
import sys

if os.fork() == 0:
    if len(sys.argv) > 1:
        os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    os.write(1, b"server %d\n" % os.getpid())
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"%d\n" % os.getpid())
signal.pause()
