"""Runs, but never listens on anything."""

import signal

print("running", flush=True)
signal.pause()
