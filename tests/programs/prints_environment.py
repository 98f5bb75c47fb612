"""Prints its environment as one JSON object, then waits if there is an argument."""

import json
import os
import signal
import sys

print(json.dumps(dict(os.environ)), flush=True)
if len(sys.argv) > 1:
    signal.pause()
