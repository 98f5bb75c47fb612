"""A service on a cluster whose keeper, node or machine fails, and what it leaves behind: for tests and benchmarks."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.ray.conftest import LONG, TIMES, Nodes, OnRay
from tests.ray.lines import Lines, lines_of, until
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program


class Writer:
    """A stack with one service that writes, and refuses to do that after a later epoch; not beside the head.

    With `pool` False it has no port: a node that is frozen as a whole keeps its ports, and the next one is on the same
    machine here.
    """

    def __init__(self, stack: OnRay, folder: Path, pool: bool = True) -> None:
        self.stack, self.folder = stack, folder
        service: dict[str, Any] = {
            "command": program("writer", str(folder)), "stop_grace_period": "1s",
            "place": {"labels": {"n": "in(a,b)"}},
        }  # fmt: skip
        if pool:
            service["pool"] = list(free_pool(3))
        stack.write({"writer": service}, name="fo", engine=TIMES)

    def up(self) -> None:
        started = self.stack.run("up", within=3 * LONG)
        assert started.returncode == 0, started.stderr

    def runs(self) -> list[tuple[int, int, float]]:
        """Epoch, process and moment of each start."""
        lines = [line.split() for line in (self.folder / "epochs").read_text().splitlines()]
        return [(int(epoch), int(pid), float(moment)) for epoch, pid, moment in lines]

    def epochs(self) -> list[int]:
        return [epoch for epoch, _, _ in self.runs()]

    def pid(self) -> int:
        """The last process that was started."""
        return self.runs()[-1][1]

    def refused(self) -> list[str]:
        """Attempts to write after a later epoch."""
        return (self.folder / "refused").read_text().splitlines() if (self.folder / "refused").exists() else []

    def last_write(self, epoch: int) -> float:
        return float((self.folder / f"at.{epoch}").read_text())

    def violations(self) -> int:
        """How many epochs have written after the next one had."""
        written = sorted(int(path.suffix[1:]) for path in self.folder.glob("first.*"))
        after = [float((self.folder / f"first.{epoch}").read_text()) for epoch in written[1:]]
        return sum(self.last_write(epoch) > first for epoch, first in zip(written, after, strict=False))

    def next_epoch(self, after: int) -> None:
        """Waits for a start in a greater epoch."""
        eventually(lambda: self.epochs()[-1] > after, within=LONG, every=0.1, what="another epoch")

    def until_gone(self, pid: int) -> None:
        eventually(lambda: is_gone(pid), within=LONG, what=f"the end of {pid}")

    @contextmanager
    def watched(self) -> Iterator[Lines]:
        """Its row whenever that changes: one `status` after another may take longer than a state."""
        with lines_of(self.stack, "status", "--watch", "--format", "json") as rows:
            until(rows, '"running"')
            yield rows

    def until_it_runs(self) -> int:
        """Its epoch, once its row has that of the last start."""

        def epoch() -> int | None:
            row = self.stack.rows().get("writer", {"state": "silent"})
            return row["epoch"] if row["state"] == "running" and row["epoch"] == self.epochs()[-1] else None

        return eventually(epoch, within=LONG, what="a row of the last epoch")

    def worker_and_raylet(self) -> tuple[int, int]:
        """Of the process that runs; on a busy machine it may just have changed."""

        def found() -> tuple[int, int] | None:
            with contextlib.suppress(psutil.NoSuchProcess):
                return self.stack.keeper_of(self.pid())
            return None

        return eventually(found, within=LONG, what="the keeper of a process")

    def node(self) -> str:
        """The name of the node that has it."""
        raylet = self.worker_and_raylet()[1]
        return {pid: name for name, pid in self.stack.nodes.raylets.items()}[raylet]

    def kill_head(self) -> None:
        """SIGKILL of the head: the server that knows the cluster, its raylet and all workers there."""
        nodes = self.stack.nodes
        nodes.is_over = True
        head = psutil.Process(nodes.raylets["head"])
        servers = [each for each in psutil.Process(nodes.pid).children() if "gcs_server" in each.name()]
        assert servers
        for each in (*servers, head, *head.children(recursive=True)):
            each.kill()

    def kill_everything(self) -> None:
        """SIGKILL of everything of Ray on all nodes, in one moment."""
        self.stack.nodes.is_over = True
        every = psutil.Process(self.stack.nodes.pid).children(recursive=True)
        for number in (signal.SIGSTOP, signal.SIGKILL):  # so that none of them sees another one end
            for each in every:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.send_signal(number)

    def move_to(self, nodes: Nodes) -> None:
        """What follows is on this cluster, in place of one that has ended."""
        self.stack.nodes = nodes
        self.stack.env = {**nodes.env, "NO_COLOR": "1"}

    @contextmanager
    def frozen(self) -> Iterator[int]:
        """Every process of its node is stopped while the block runs: Ray's, and what runs the service; its raylet."""
        service = psutil.Process(self.pid())
        raylet = self.worker_and_raylet()[1]
        warden = next(each for each in service.parents() if "supervisor.cluster.warden" in each.cmdline())
        tops = [psutil.Process(raylet), warden]
        every = [each for top in tops for each in (top, *top.children(recursive=True))]  # parents first
        for each in every:
            os.kill(each.pid, signal.SIGSTOP)
        try:
            yield raylet
        finally:
            for each in every:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGCONT)


def until_unknown(rows: Lines) -> dict[str, Any]:
    """The row of a service of which nobody knows how it is."""
    row: dict[str, Any] = json.loads(until(rows, '"unknown"'))
    return row


def is_gone(pid: int) -> bool:
    """Whether there is no such process, or nothing of it but its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
