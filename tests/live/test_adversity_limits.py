"""Limits of the system that `portsup up` runs into: each is said once, with what to do about it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.stack import SLEEPS, Live
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

# Limits count for ordinary users only, who may not read everything here; so the second fork is made to fail instead.
FORKS = """
import os, sys, errno
forks, real = int(sys.argv.pop(1)), os.fork
def fork():
    global forks
    forks -= 1
    if forks < 0:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return real()
os.fork = fork
from supervisor.cli.main import main
sys.exit(main())
"""


@pytest.mark.parametrize(("forks", "words"), [(0, ("up",)), (0, ("up", "-d")), (1, ("up", "-d"))])
def test_no_process_to_be_had_is_no_mistake_of_ours(tmp_path: Path, forks: int, words: tuple[str, ...]) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    ran = subprocess.run(
        [sys.executable, "-c", FORKS, str(forks), *words], cwd=tmp_path, env=stack.env, capture_output=True, text=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: cannot start another process: resource temporarily unavailable")
    assert "ulimit -u" in ran.stderr


def test_too_few_descriptors_for_the_pools_are_told_once_with_what_to_do(tmp_path: Path) -> None:
    services = {f"s{number}": {"command": program("listens"), "pool": list(free_pool(3))} for number in range(12)}
    stack = Live(tmp_path, services)
    ran = subprocess.run(
        ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *stack.command("up")],
        cwd=tmp_path, env=stack.env, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]  # a file may be warned of as well
    assert len(errors) == 1
    assert errors[0].endswith(": too many open files")
    assert "hint: every port takes three: raise the limit, as in `ulimit -n 8192`" in ran.stderr
    stack.leaves_nothing()
