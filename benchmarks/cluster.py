"""How long a service on a cluster is away when something fails, with three Ray nodes on this machine.

    python -m benchmarks.cluster [--times N] [--only WHAT]

The service writes, and its file refuses a process with an epoch smaller than the last: a refusal is a violation, as the
old process must have ended before the next one starts.  A node that is frozen as a whole cannot end anything; there a
violation is a write of the old process after one of the next.  When the head or all of Ray is gone, another process
needs another cluster and another `up --on`, which are part of the time.  A node is cut off on another cluster, as root:
each of its nodes is in a network namespace of its own.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import machine, spread, verdict
from tests.ray.bridge import Bridge, FromHead, bridged
from tests.ray.conftest import LONG, Nodes, OnRay, new_folder
from tests.ray.failing import Writer

Times = tuple[float, float, int]  # until the old process is gone, until the next has begun, violations


def main() -> int:
    """Prints the figures; 1 after a violation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=5, metavar="N", help="of each failure; default: 5")
    parser.add_argument("--only", choices=[*FAILURES, "link"], help="default: all")
    options = parser.parse_args()
    print(f"{machine()}, Ray's nodes on one machine, lease 10 s, grace 2 s\n")
    names = [options.only] if options.only else [*FAILURES, *(["link"] if os.geteuid() == 0 else [])]
    failed = "link" in names and links(options.times)
    if others := [name for name in names if name in FAILURES]:
        folder = new_folder("pc")
        nodes = Nodes(folder)
        try:
            for name in others:
                is_wrong, nodes = measure(name, options.times, nodes, folder)
                failed |= is_wrong
        finally:
            nodes.close()
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def links(times: int) -> bool:
    """Prints what becomes of a service whose node is cut off; whether one was wrong."""
    with bridged() as bridge, tempfile.TemporaryDirectory() as folder:
        stack = FromHead(Path(folder, "project"), bridge)
        writer = Writer(stack, Path(folder))
        writer.up()
        found = [link(writer, bridge) for _ in range(times)]
        ends = [each[3] for each in found]
        stack.run("down", "-t", "0")
    is_wrong = told("link", [each[:3] for each in found])
    print(f"    once the link is back, the raylet of the node gone after {spread(ends, 's')}", flush=True)
    return is_wrong


def link(writer: Writer, bridge: Bridge) -> tuple[float, float, int, float]:
    """The link of the node is cut until another one has the service, and its raylet has ended then."""
    raylet = writer.worker_and_raylet()[1]
    node = bridge.node_of(raylet)
    found = lost(writer, lambda: bridge.set_link(node, "down"))
    bridge.set_link(node, "up")
    begun = time.monotonic()
    writer.until_gone(raylet)
    gone = time.monotonic() - begun
    bridge.processes[node].wait(LONG)
    bridge.start(node)
    return *found, gone


def measure(name: str, times: int, nodes: Nodes, folder: Path) -> tuple[bool, Nodes]:
    """Prints what becomes of so many failures of one kind; whether one was wrong, and the cluster there is then."""
    stack = OnRay(folder / name / "project", {})
    writer = Writer(stack, folder / name, pool=name != "frozen")
    writer.move_to(nodes)
    writer.up()
    found = [FAILURES[name](writer) for _ in range(times)]
    stack.run("down", "-t", "0")
    return told(name, found), stack.nodes


def told(name: str, found: list[Times]) -> bool:
    """Prints what was measured; whether something was wrong."""
    violations = sum(each[2] for each in found)
    print(f"{name}, {len(found)} times", flush=True)
    print(f"    old process gone after {spread([each[0] for each in found], 's')}")
    print(f"    another one after {spread([each[1] for each in found], 's')}")
    print(f"    {violations} violations: {verdict(not violations)}", flush=True)
    return violations > 0


def worker(writer: Writer) -> Times:
    """SIGKILL of the keeper's worker."""
    return killed(writer, writer.worker_and_raylet()[0])


def raylet(writer: Writer) -> Times:
    """SIGKILL of the raylet; another node takes its place."""
    node = writer.node()
    found = killed(writer, writer.worker_and_raylet()[1])
    writer.stack.nodes.again(node)
    return found


def killed(writer: Writer, victim: int) -> Times:
    return lost(writer, lambda: os.kill(victim, signal.SIGKILL))


def lost(writer: Writer, fail: Callable[[], None]) -> Times:
    """What becomes of a service whose node loses it by `fail`."""
    old, before, refused = writer.pid(), writer.epochs()[-1], len(writer.refused())
    begun, moment = time.monotonic(), time.time()
    fail()
    writer.until_gone(old)
    gone = time.monotonic() - begun
    writer.next_epoch(before)
    return gone, writer.runs()[-1][2] - moment, len(writer.refused()) - refused


def frozen(writer: Writer) -> Times:
    """SIGSTOP of all processes of a node until another one has the service; gone after it goes on."""
    old, node, before, violations = writer.pid(), writer.node(), writer.epochs()[-1], writer.violations()
    moment = time.time()
    with writer.frozen():
        writer.next_epoch(before)
        taken = writer.runs()[-1][2] - moment
    begun = time.monotonic()
    writer.until_gone(old)
    gone = time.monotonic() - begun
    writer.stack.nodes.again(node)
    return gone, taken, writer.violations() - violations


def head(writer: Writer) -> Times:
    """SIGKILL of the head."""
    return ended(writer, writer.kill_head)


def everything(writer: Writer) -> Times:
    """SIGKILL of everything of Ray on all nodes."""
    return ended(writer, writer.kill_everything)


def ended(writer: Writer, kill: Callable[[], None]) -> Times:
    old, nodes, refused = writer.pid(), writer.stack.nodes, len(writer.refused())
    begun, moment = time.monotonic(), time.time()
    kill()
    writer.until_gone(old)
    gone = time.monotonic() - begun
    nodes.close()
    writer.move_to(Nodes(nodes.folder))
    writer.up()
    return gone, writer.runs()[-1][2] - moment, len(writer.refused()) - refused


FAILURES: dict[str, Callable[[Writer], Times]] = {
    "worker": worker, "raylet": raylet, "frozen": frozen, "head": head, "everything": everything,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
