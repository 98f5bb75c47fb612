"""Prints a line, then one without a newline, and exits with code 3."""

import os

os.write(1, b"first\nlast words")
os._exit(3)
