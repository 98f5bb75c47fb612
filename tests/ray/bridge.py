"""A Ray cluster each of whose nodes is in a network namespace of its own, all on one bridge: a node can be cut off."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil

from tests.ray.conftest import LONG, SOONER, Nodes, OnRay, end_all_with, environment, new_folder
from tests.support.eventually import eventually

SUBNET = "10.231.77"
NAMES, SWITCH = ("head", "a", "b"), "switch"
BEGUN = "Ray runtime started"
ATTEMPTS = 3


class Bridge:
    """The namespaces, with one Ray node in each.

    The bridge is in another one, so no filter of this machine sees what the nodes send each other, and nothing that has
    its name or addresses is in the way.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"{SUBNET}.1:6379"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=60)

    def namespace(self, name: str) -> str:
        return f"{self.folder.name}-{name}"

    def within(self, name: str, *words: str) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}", *words]

    def lay(self) -> None:
        """Makes the namespaces; raises CalledProcessError where that is not allowed."""
        at = ("-n", self.namespace(SWITCH))
        self.ip("netns", "add", self.namespace(SWITCH))
        self.ip(*at, "link", "add", "bridge", "type", "bridge")
        self.ip(*at, "link", "set", "bridge", "up")
        for number, name in enumerate(NAMES, 1):
            self.ip("netns", "add", self.namespace(name))
            self.ip(*at, "link", "add", "name", name, "type", "veth", "peer", "eth0", "netns", self.namespace(name))
            self.ip(*at, "link", "set", "dev", name, "master", "bridge", "up")
            for words in (
                ("addr", "add", f"{SUBNET}.{number}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                self.ip("-n", self.namespace(name), *words)

    def set_link(self, name: str, state: str) -> None:
        """Cuts a node off by `down`, and connects it again by `up`: the other end of its cable."""
        self.ip("-n", self.namespace(SWITCH), "link", "set", "dev", name, state)

    def start(self, name: str) -> None:
        """Starts the node of a namespace; returns when the cluster has it.

        Ray gives up where a raylet takes half a minute to begin, so a busy machine may need several attempts.
        """
        number = NAMES.index(name) + 1
        first = ["--head", "--port=6379", "--include-dashboard=false", f"--system-config={json.dumps(SOONER)}"]
        words = first if name == "head" else [f"--address={self.address}"]
        ray = [str(Path(sys.executable).with_name("ray")), "start", "--block", *words, f"--node-name={name}"]
        limits = ["--num-cpus=1", "--object-store-memory=100000000", f"--labels=n={name}"]
        log = self.folder / f"{name}.log"
        for _ in range(ATTEMPTS):
            self.processes[name] = process = subprocess.Popen(
                self.within(name, *ray, f"--node-ip-address={SUBNET}.{number}", *limits), env=self.env(name),
                stdin=subprocess.DEVNULL, stdout=log.open("wb"), stderr=subprocess.STDOUT,
            )  # fmt: skip
            if self._begins(process, log):
                return
        raise AssertionError(f"Ray does not start the node {name}: {log.read_text()[-2000:]}")

    def _begins(self, process: "subprocess.Popen[bytes]", log: Path) -> bool:
        """Whether Ray says that the node has begun, and not that it has given up."""
        eventually(lambda: BEGUN in log.read_text() or process.poll() is not None, within=LONG, what=log.name)
        return process.poll() is None

    def env(self, name: str) -> dict[str, str]:
        return environment(self.folder, name)

    def raylet(self, name: str) -> int | None:
        """The process of a node's raylet, None if it has none."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for each in psutil.Process(self.processes[name].pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):  # one of many that `ray start` asks something
                    if each.name() == "raylet":
                        return each.pid
        return None

    def node_of(self, raylet: int) -> str:
        """The name of the node with this raylet; the head has no service."""
        return next(name for name in NAMES[1:] if self.raylet(name) == raylet)

    def close(self) -> None:
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        end_all_with(self.folder)
        for name in (*NAMES, SWITCH):  # with its links
            subprocess.run(["ip", "netns", "del", self.namespace(name)], capture_output=True, check=False)


class FromHead(OnRay):
    """A project from whose folder commands run in the namespace of the head."""

    def __init__(self, folder: Path, bridge: Bridge) -> None:
        super().__init__(folder, {})
        self.bridge = bridge
        self.nodes = cast(Nodes, SimpleNamespace(address=bridge.address, raylets={}))
        self.env = {**bridge.env("head"), "NO_COLOR": "1"}

    def command(self, *words: str) -> list[str]:
        return self.bridge.within("head", *super().command(*words))


@contextlib.contextmanager
def bridged() -> Iterator[Bridge]:
    """The cluster while the block runs; raises CalledProcessError where namespaces are not allowed."""
    folder = new_folder("pn")
    made = Bridge(folder)
    try:
        made.lay()
        for name in NAMES:
            made.start(name)
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
