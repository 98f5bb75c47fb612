"""What the process in front of the daemon has in memory, as long as the stack runs."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.live

LOADED = """
import sys
from supervisor.cli import main, parser
parser.build("up")
print(sorted({"asyncio", "pickle", "socket", "typing"} & sys.modules.keys()))
"""


def test_it_has_nothing_that_only_the_daemon_needs() -> None:
    told = subprocess.run([sys.executable, "-S", "-c", LOADED], capture_output=True, text=True, env={"PYTHONPATH": "."})
    assert (told.stdout, told.stderr) == ("[]\n", "")
