"""The ways of docs/explanation/architecture.md against the files that really run."""

import ast
import mmap
import os
import signal
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live
from tests.support.ports import free_pool
from tests.support.running import program
from tests.support.source import PACKAGE, nodes
from tests.test_architecture import PATHS

pytestmark = pytest.mark.live

# Python imports it in each process: while a byte that all of them see is not 0, it notes whose functions are called.
NOTES = """
import mmap, os, sys, threading
def follow(folder, package):
    with open(folder + "/number", "r+b") as file:
        number = mmap.mmap(file.fileno(), 1)
    seen = set()
    def note(frame, event, _):
        path = frame.f_code.co_filename
        if number[0] and event == "call" and path.startswith(package) and (number[0], path) not in seen:
            seen.add((number[0], path))
            with open(f"{folder}/{number[0]}", "a") as notes:
                notes.write(path[len(package):] + "\\n")
    sys.setprofile(note)
    threading.setprofile(note)
follow(os.environ["WAYS"], os.environ["WAYS_PACKAGE"])
"""


class Ways:
    """What runs in all processes of portsup, way by way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "number").write_bytes(b"\0")
        (folder / "sitecustomize.py").write_text(NOTES)
        with open(folder / "number", "r+b") as file:
            self._number = mmap.mmap(file.fileno(), 1)

    def begin(self, number: int) -> None:
        """From now on; 0 for no way."""
        self._number[0] = number

    def follow(self, live: Live) -> None:
        """Whatever is run there."""
        live.env["PYTHONPATH"] = os.pathsep.join((str(self._folder), live.env["PYTHONPATH"]))
        live.env |= {"WAYS": str(self._folder), "WAYS_PACKAGE": f"{PACKAGE}{os.sep}"}

    def left_out(self, number: int, title: str) -> list[str]:
        """The files of a way that have functions, and none of them was called."""
        ran = set((self._folder / str(number)).read_text().split())
        return [file for file in PATHS[title] if file not in ran and any(nodes(PACKAGE / file, ast.FunctionDef))]


def test_the_files_that_the_page_names_are_those_that_run(stack: Make, tmp_path: Path) -> None:
    ways = Ways(tmp_path)
    pool, other = free_pool(2), free_pool(2)
    live = stack({
        "db": {"command": program("listens"), "pool": pool},
        "web": {"command": ["sleep", "1000"], "ready": "started", "depends_on": ["db"]},
    })  # fmt: skip
    ways.follow(live)
    assert live.run("up", "-d").returncode == 0
    pid = live.until("db", state="running")["pid"]

    ways.begin(1)
    assert live.run("status").returncode == 0
    ways.begin(2)
    os.kill(pid, signal.SIGKILL)
    live.until("db", state="running", restarts=1)
    ways.begin(3)
    live.write(
        {
            "db": {"command": program("listens"), "pool": other},
            "new": {"command": ["sleep", "1000"], "ready": "started"},
        }
    )
    assert live.run("reload").returncode == 0
    ways.begin(0)

    assert ways.left_out(1, "status") == []
    assert ways.left_out(2, "crash") == []
    assert ways.left_out(2, "bind") == []
    assert ways.left_out(3, "reload") == []
