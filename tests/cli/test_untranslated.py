"""The command line asks nobody for translations, and hides gettext from no one else."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.live

LOOKS = """
from supervisor.cli import parser
import sys
print("gettext" in sys.modules, "locale" in sys.modules)
command = parser.build("status")
command.format_help()
print("gettext" in sys.modules, "locale" in sys.modules)
import gettext
print(gettext.find.__name__)
"""


def test_a_command_is_read_and_explained_without_gettext_which_is_there_for_others() -> None:
    told = subprocess.run([sys.executable, "-S", "-c", LOOKS], capture_output=True, text=True, env={"PYTHONPATH": "."})
    assert told.stdout.split("\n")[:3] == ["False False", "False False", "find"], told.stderr
