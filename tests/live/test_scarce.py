"""A daemon that the system gives nothing more: what it is asked for meanwhile fails or waits, and nobody else ends."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.live

PIDS = Path("/sys/fs/cgroup/pids")  # a folder of it is a limit of its own
LASTS = {"restart": "always", "restart_policy": {"delay": "50ms", "max_delay": "50ms", "max_restarts": 1000}}
DOCUMENTED = {0, 1, 3, 4, 10}
REQUESTS = (
    ("status",), ("restart", "web"), ("restart", "job"), ("restart", "--rolling", "web"), ("stop", "web", "job"),
    ("start", "web", "job"), ("scale", "web=2"), ("kill", "job"), ("reload",),
)  # fmt: skip


class Scarce(Live):
    """`web` has a port and a hook, `job` has neither; nobody asks for anything of `other`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "p", {})
        self.runtime, self.state = folder / "r", folder / "s"
        self.env.update(PORTSUP_RUNTIME_DIR=str(self.runtime), PORTSUP_STATE_DIR=str(self.state))
        self.pool = list(free_pool(2))
        self.variant = 0
        self.configure()

    def configure(self) -> None:
        """Another `job` than the last time."""
        self.variant += 1
        web = {"command": program("listens"), "pool": self.pool, "hooks": {"pre_start": ["true"]}, **LASTS}
        job = {**SLEEPS, "environment": {"VARIANT": str(self.variant)}, **LASTS}
        self.write({"web": web, "job": job, "other": {**SLEEPS, **LASTS}})

    def all_run(self) -> bool:
        """Whether every service does, each with one process."""
        rows = self.rows()
        return bool(rows) and all(row["state"] == "running" and not row["replicas"] for row in rows.values())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scarce]:
    it = Scarce(tmp_path_factory.mktemp("scarce"))
    with it.up():
        yield it


@pytest.fixture(autouse=True)
def as_before(stack: Scarce) -> None:
    if not stack.all_run():
        stack.do("start", "web", "job")
        if stack.rows()["web"]["replicas"]:
            assert stack.run("scale", "web=1").returncode == 0
        eventually(stack.all_run, within=20, what="all as before")


@contextlib.contextmanager
def descriptors(pid: int, more: int) -> Iterator[None]:
    """The process can open so many more."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    limit, free = 0, more
    while limit in used or free > 0:  # the lowest free number is the next one
        free -= limit not in used
        limit += 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def processes(pid: int, more: int) -> Iterator[None]:
    """The process can begin so many more, or have others begin them; root by the cgroup, as nothing else limits it."""
    if os.geteuid() != 0:
        before = resource.prlimit(pid, resource.RLIMIT_NPROC)
        resource.prlimit(pid, resource.RLIMIT_NPROC, (1, before[1]))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_NPROC, before)
        return
    folder = PIDS / f"portsup-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("root is not limited here")
    try:
        (folder / "cgroup.procs").write_text(str(pid))
        (folder / "pids.max").write_text(str(int((folder / "pids.current").read_text()) + more))
        yield
    finally:
        (folder / "pids.max").write_text("max")
        for each in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (PIDS / "cgroup.procs").write_text(each)
        eventually(lambda: remove(folder, folder.parent), what="an empty cgroup")


def remove(folder: Path, above: Path) -> bool:
    """Whether it is gone; who has come to be there meanwhile goes up."""
    with contextlib.suppress(OSError):
        for each in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (above / "cgroup.procs").write_text(each)
        folder.rmdir()
    return not folder.exists()


def ask(stack: Scarce, words: tuple[str, ...], limit: Callable[[], Any]) -> None:
    """Asks within the limit, which lasts until the answer is there or something was refused, and then once more."""
    daemon, other = stack.daemon(), stack.rows()["other"]["pid"]
    if words[0] == "start":
        stack.do("stop", "web", "job")
    elif words[0] == "reload":
        stack.configure()
    known = len(stack.journal())
    with limit():
        asked = stack.popen(*words)
        eventually(
            lambda: asked.poll() is not None or is_refused(stack, known), within=30, what="an answer, or trouble"
        )
    try:
        out, err = asked.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        asked.kill()
        raise AssertionError(f"no answer: {asked.communicate()}; {stack.journal()[known:]}") from None
    assert asked.returncode in DOCUMENTED, (asked.returncode, out, err)
    assert stack.daemon() == daemon, stack.journal()[known:]
    assert stack.rows()["other"]["pid"] == other, stack.journal()[known:]
    assert not [each for each in stack.journal()[known:] if each["event"] == "mistake in portsup"]
    assert stack.run("status").returncode in (0, 3)
    if words[0] != "kill":
        again = stack.run(*words)
        assert again.returncode == 0, (again, asked.returncode, out, err)


def is_refused(stack: Scarce, known: int) -> bool:
    """Whether the journal has a warning by now."""
    return any(each["level"] != "info" for each in stack.journal()[known:])


@pytest.mark.parametrize("more", [0, 4, *(pytest.param(more, marks=pytest.mark.long) for more in (1, 2, 9))])
@pytest.mark.parametrize("words", REQUESTS, ids=" ".join)
def test_without_descriptors(stack: Scarce, words: tuple[str, ...], more: int) -> None:
    ask(stack, words, lambda: descriptors(stack.daemon(), more))


@pytest.mark.parametrize("words", REQUESTS, ids=" ".join)
def test_without_processes(stack: Scarce, words: tuple[str, ...]) -> None:
    ask(stack, words, lambda: processes(stack.daemon(), 0))
