"""Forks on and on into new sessions: each child lives a moment, forks, and exits; prints one dot a generation."""

import os
import time

while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    os.write(1, b".\n")
    time.sleep(0.002)
