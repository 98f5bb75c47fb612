"""Starts a child that leaves the session and group, ignores SIGTERM and keeps stdout open; prints the child's pid."""

import os
import signal

child = os.fork()
if child == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"grandchild %d\n" % os.getpid())
    while True:
        signal.pause()
signal.pause()
