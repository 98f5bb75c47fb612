"""Closes its stdout and stderr, as some daemons do, and lives on."""

import os
import signal

os.write(1, b"closing\n")
os.close(1)
os.close(2)
signal.pause()
