"""A node that is cut off: each node is in a network namespace of its own, all on one bridge."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from tests.ray.conftest import QUIET, SOONER, Nodes, OnRay
from tests.ray.failing import Writer, is_gone
from tests.support.eventually import eventually
from tests.support.processes import processes_with
from tests.support.running import ROOT

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]

SUBNET = "10.231.77"
NAMES = ("head", "a", "b")


class Bridge:
    """The namespaces, with one Ray node in each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._number = folder, os.getpid() % 100_000
        self.address = f"{SUBNET}.1:6379"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)

    def namespace(self, name: str) -> str:
        return f"pr{self._number}{name}"

    def link(self, name: str) -> str:
        """The end of its cable that is ours."""
        return f"pv{self._number}{name}"

    def within(self, name: str, *words: str) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}", *words]

    def lay(self) -> None:
        """Makes the namespaces; raises CalledProcessError where that is not allowed."""
        bridge = f"pb{self._number}"
        self.ip("link", "add", bridge, "type", "bridge")
        self.ip("link", "set", bridge, "up")
        for number, name in enumerate(NAMES, 1):
            self.ip("netns", "add", self.namespace(name))
            self.ip("link", "add", self.link(name), "type", "veth", "peer", "eth0", "netns", self.namespace(name))
            self.ip("link", "set", self.link(name), "master", bridge, "up")
            for words in (
                ("addr", "add", f"{SUBNET}.{number}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                self.ip("-n", self.namespace(name), *words)

    def start(self, name: str) -> None:
        """Starts the node of a namespace."""
        number = NAMES.index(name) + 1
        first = ["--head", "--port=6379", "--include-dashboard=false", f"--system-config={json.dumps(SOONER)}"]
        words = first if name == "head" else [f"--address={self.address}"]
        ray = [str(Path(sys.executable).with_name("ray")), "start", "--block", *words, f"--node-name={name}"]
        limits = ["--num-cpus=4", "--object-store-memory=100000000", f"--labels=n={name}"]
        self.processes[name] = subprocess.Popen(
            self.within(name, *ray, f"--node-ip-address={SUBNET}.{number}", *limits), env=self.env(name),
            stdin=subprocess.DEVNULL, stdout=(self.folder / f"{name}.log").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        eventually(lambda: self.raylet(name), within=120, what=f"the raylet of {name}")

    def env(self, name: str) -> dict[str, str]:
        places = {
            "PORTSUP_RUNTIME_DIR": str(self.folder / f"r-{name}"),
            "PORTSUP_STATE_DIR": str(self.folder / f"s-{name}"),
        }
        return {**os.environ, **QUIET, **places, "PYTHONPATH": str(ROOT)}

    def raylet(self, name: str) -> int | None:
        process = self.processes[name]
        assert process.poll() is None, (self.folder / f"{name}.log").read_text()[-2000:]
        found = [each.pid for each in psutil.Process(process.pid).children(recursive=True) if each.name() == "raylet"]
        return found[0] if found else None

    def close(self) -> None:
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        for pid in processes_with(f"={self.folder}"):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for name in NAMES:
            subprocess.run(["ip", "link", "del", self.link(name)], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", self.namespace(name)], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", f"pb{self._number}"], capture_output=True, check=False)


class FromHead(OnRay):
    """A project from whose folder commands run in the namespace of the head."""

    bridge: Bridge

    def command(self, *words: str) -> list[str]:
        return self.bridge.within("head", *super().command(*words))


@pytest.fixture
def bridge(clusters: Any) -> Iterator[Bridge]:
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        pytest.skip("network namespaces take root, ip and nsenter")
    clusters.close()  # one at a time
    folder = Path(f"/tmp/pn{os.getpid()}")  # short: unix sockets
    folder.mkdir(mode=0o700)
    made = Bridge(folder)
    try:
        try:
            made.lay()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.decode().strip()}")
        for name in NAMES:
            made.start(name)
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_node_that_is_cut_off_ends_its_service_before_another_has_it(bridge: Bridge, tmp_path: Path) -> None:
    stack = FromHead(tmp_path / "project", {})
    stack.bridge = bridge
    stack.nodes = cast(Nodes, SimpleNamespace(address=bridge.address, raylets={}))
    stack.env = {**bridge.env("head"), "NO_COLOR": "1"}
    eventually(lambda: len(nodes_alive(stack)) == 3, within=120, every=1.0, what="three nodes")
    writer = Writer(stack, tmp_path)
    writer.up()
    old, raylet = writer.pid(), writer.worker_and_raylet()[1]
    node = next(name for name in ("a", "b") if bridge.raylet(name) == raylet)

    bridge.ip("link", "set", bridge.link(node), "down")
    writer.until_gone(old)
    assert writer.until_unknown()["ready_s"] > 0
    writer.next_epoch(1)
    assert psutil.Process(writer.pid()).is_running()
    bridge.ip("link", "set", bridge.link(node), "up")
    eventually(lambda: is_gone(raylet), within=180, what="the end of a raylet that the cluster has given up")

    assert writer.stack.until_row("writer", state="running")["epoch"] == writer.epochs()[-1]
    assert writer.epochs() == sorted(writer.epochs())
    assert (writer.violations(), writer.refused()) == (0, [])
    assert stack.run("down").returncode == 0


def nodes_alive(stack: FromHead) -> list[str]:
    """The nodes that the head takes for alive."""
    asks = (
        f"import ray; ray.init('{stack.nodes.address}', log_to_driver=False); "
        "print(*[node['NodeName'] for node in ray.nodes() if node['Alive']])"
    )
    words = stack.bridge.within("head", sys.executable, "-c", asks)
    ran = subprocess.run(words, env=stack.env, capture_output=True, text=True, timeout=120)
    return ran.stdout.split()
