"""A Ray cluster on this machine, and stacks on it; all tests are skipped where Ray is not installed."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.eventually import eventually
from tests.support.ports import free_pool, free_port
from tests.support.processes import processes_with
from tests.support.running import ROOT, Project

LONG = 180.0  # seconds that bound everything here
TIMES = {"ray": {"lease": "10s", "grace": "2s"}}
LABELS = ("n=head,role=gateway", "n=a,role=model", "n=b,role=work")
# A node that is frozen counts as dead after a quarter of a minute, and not after a whole one.
SOONER = {"health_check_period_ms": 1000, "health_check_timeout_ms": 3000, "health_check_failure_threshold": 4}
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("ray") is None:
        reason = "Ray is not installed: `make test-ray` installs it"
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


def environment(folder: Path, node: str = "") -> dict[str, str]:
    """What Ray and portsup are started with on a node.

    Where Ray has its files it looks for other clusters of the machine, and refuses to be another one at an address
    that one of these has, also in another network namespace: so this is no place that others have.
    """
    own = f"-{node}" if node else ""
    places = {
        "PORTSUP_RUNTIME_DIR": str(folder / f"r{own}"), "PORTSUP_STATE_DIR": str(folder / f"s{own}"),
        "RAY_TMPDIR": str(folder / "ray"),
    }  # fmt: skip
    return {**os.environ, **QUIET, **places, "PYTHONPATH": str(ROOT)}


class Nodes:
    """A head and two nodes, `a` and `b`, on this machine, each with its own directories for locks and logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder)
        nodes = [sys.executable, str(Path(__file__).with_name("nodes.py")), str(free_port()), *LABELS]
        self._process = subprocess.Popen(
            nodes, env=self.env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(folder / "ray.log").open("w"),
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (folder / "ray.log").read_text()[-2000:]
        told: dict[str, Any] = json.loads(line)
        self.address: str = told["address"]
        self.client: str = told["client"]
        self.raylets: dict[str, int] = told["raylets"]
        self.is_over = False  # for the next test there must be another one

    @property
    def pid(self) -> int:
        """The process that has started all others of Ray, the workers of nodes excepted."""
        return self._process.pid

    def again(self, name: str) -> None:
        """Adds a node in the place of one that is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        [label] = [each for each in LABELS if each.startswith(f"n={name},")]
        self._process.stdin.write(f"{label}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, (self.folder / "ray.log").read_text()[-2000:]
        self.raylets[name] = int(line)

    def close(self) -> None:
        """Ends the cluster, and whatever it has left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        end_all_with(self.folder)


def end_all_with(folder: Path) -> None:
    """Ends what has this folder in its environment, as all processes of a cluster and its services have."""
    for pid in processes_with(f"={folder}"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def new_folder(prefix: str) -> Path:
    """A folder with a short name, for unix sockets: one of a run that was killed may be there still."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


class OnRay(Project):
    """A project whose stack runs on the cluster."""

    nodes: Nodes

    def run(self, *words: str, within: float = LONG) -> subprocess.CompletedProcess[str]:
        return super().run(*words, "--on", self.nodes.address, within=within)

    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of `status`, by name."""
        ran = self.run("status", "--format", "json")
        return {row["name"]: row for row in map(json.loads, ran.stdout.splitlines())}

    def until_row(self, name: str, **facts: Any) -> dict[str, Any]:
        """The row of `name` once it has these facts."""

        def check() -> dict[str, Any] | None:
            row = self.rows().get(name)
            return row if row and all(row[key] == value for key, value in facts.items()) else None

        return eventually(check, within=LONG, what=f"{name} with {facts}")

    def workers(self, title: str) -> list[int]:
        """The workers of the cluster that are such an actor."""
        found = []
        for raylet in self.nodes.raylets.values():
            if psutil.pid_exists(raylet):
                for each in psutil.Process(raylet).children():
                    with contextlib.suppress(psutil.Error):  # it has just ended
                        found += [each.pid] if any(f"ray::{title}" in word for word in each.cmdline()) else []
        return found

    def keeper_of(self, pid: int) -> tuple[int, int]:
        """The worker of the keeper of a service, and the raylet of its node, by the process of the service."""
        for above in psutil.Process(pid).parents():
            words = above.cmdline()
            if "supervisor.cluster.warden" in words:
                at = words.index("supervisor.cluster.warden")
                return int(words[at + 2]), int(words[at + 3])
        raise AssertionError("it has no warden")


class _Clusters:
    """The cluster that there is, one at a time."""

    def __init__(self) -> None:
        self.now: Nodes | None = None

    def get(self) -> Nodes:
        """It, or another one if a test has ended it."""
        if self.now is not None and self.now.is_over:
            self.close()
        if self.now is None:
            self.now = Nodes(new_folder("pr"))
        return self.now

    def close(self) -> None:
        """Ends it."""
        if self.now is not None:
            self.now.close()
            shutil.rmtree(self.now.folder, ignore_errors=True)
            self.now = None


@pytest.fixture(scope="session")
def clusters() -> Iterator[_Clusters]:
    held = _Clusters()
    try:
        yield held
    finally:
        held.close()


@pytest.fixture
def nodes(clusters: _Clusters) -> Nodes:
    """The cluster; a test that ends it says so by `is_over`."""
    return clusters.get()


@pytest.fixture
def on_ray(nodes: Nodes, tmp_path: Path) -> Iterator[OnRay]:
    """A project without services yet; whatever it starts is stopped."""
    project = OnRay(tmp_path / "project", {})
    project.nodes = nodes
    project.env = {**nodes.env, "NO_COLOR": "1"}
    try:
        yield project
    finally:
        if not nodes.is_over:
            project.run("down", "-t", "0")


def server(count: int = 2, **more: Any) -> dict[str, Any]:
    """A service that serves its folder over HTTP."""
    command = [sys.executable, "-m", "http.server", "--bind", "{host}", "{port}"]
    return {"command": command, "pool": list(free_pool(count)), **more}
