"""A machine of its own with Podman: Debian in a directory, with processes, mounts and a network that nobody else has.

`.ci/export-tools.sh` makes the directory.  There is no systemd in it, so what systemd's timers would do for Podman, the
checks of whether containers are healthy, `Podman.checks` does.
"""

import contextlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.support.eventually import eventually

DEBIAN = Path(os.environ.get("EXPORT_MACHINE", "/var/cache/portsup-tests/trixie"))
IMAGE = "localhost/shop:1"
HERE = "/srv"  # where the folder of the test is
# A new root, in which `/run` and what Podman keeps are in memory, and gone with the machine.
BOOT = """\
set -e
mount --bind "$1" "$1"
for each in sys dev; do mount --rbind "/$each" "$1/$each"; done
mount -t proc proc "$1/proc"
for each in run tmp var/lib/containers; do mkdir -p "$1/$each"; mount -t tmpfs tmpfs "$1/$each"; done
mount --bind "$2" "$1/srv"
ip link set lo up
cd "$1"
pivot_root . mnt
umount -l /mnt
echo up
exec sleep infinity
"""
# Podman needs no limits that only another root may set, and no manager of control groups.
CONTAINERS = """\
[containers]
default_ulimits = []
base_hosts_file = "/srv/hosts"
[network]
network_config_dir = "/run/networks"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
healthcheck_events = false
"""


class Podman:
    """The machine; `folder` is on it at HERE."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "containers.conf").write_text(CONTAINERS)
        (folder / "hosts").write_text("127.0.0.1 localhost\n")
        words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", BOOT, "sh"]
        self._process = subprocess.Popen([*words, str(DEBIAN), str(folder)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "up\n"
        [self._first] = psutil.Process(self._process.pid).children()

    def command(self, *words: str) -> list[str]:
        """What runs a command there."""
        return ["nsenter", "--target", str(self._first.pid), "--mount", "--net", "--pid", "--wdns=/srv", *words]

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "CONTAINERS_CONF": f"{HERE}/containers.conf",
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1", "DOCKER_HOST": "unix:///run/podman.sock", **more,
        }  # fmt: skip

    def run(self, *words: str, within: float = 180.0, **more: str) -> str:
        """What a command prints there that has to work."""
        ran = subprocess.run(
            self.command(*words), env=self.environment(**more), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=within,
        )  # fmt: skip
        assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def podman(self, *words: str, **more: str) -> str:
        return self.run("podman", *words, within=180.0, **more)

    def load(self, archive: Path) -> None:
        """Has the image."""
        shutil.move(archive, self.folder / "image.tar")
        self.podman("import", "--change", "ENV PATH=/usr/sbin:/usr/bin", f"{HERE}/image.tar", IMAGE)
        (self.folder / "image.tar").unlink()

    def trouble(self) -> str:
        """What keeps it from running any container; "" if nothing does."""
        try:
            self.podman("run", "--rm", "--network", "host", IMAGE, "python3", "--version")
        except AssertionError as error:
            return str(error)
        return ""

    def containers(self) -> list[dict[str, Any]]:
        """Every container there is, as Podman describes it."""
        names = self.podman("ps", "-aq").split()
        found: list[dict[str, Any]] = json.loads(self.podman("inspect", *names)) if names else []
        return found

    def container(self, name: str) -> dict[str, Any]:
        """The container whose name has this in it."""
        [found] = [each for each in self.containers() if name in each["Name"]]
        return found

    def until_runs(self, name: str, without: int = 0) -> int:
        """The process of a running container, not `without`."""

        def pid() -> int:
            state = self.container(name)["State"]
            return state["Pid"] if state["Running"] and state["Pid"] != without else 0

        return eventually(pid, within=120, every=0.3, what=f"{name} runs")

    def answers(self, url: str) -> str:
        """What is at an address, once somebody answers there."""

        def get() -> str:
            with contextlib.suppress(AssertionError):
                return self.run("curl", "-fsS", "--max-time", "5", url)
            return ""

        return eventually(get, within=120, every=0.3, what=f"an answer at {url}")

    @contextmanager
    def checks(self) -> Iterator[None]:
        """Has Podman check the containers for the length of the block."""
        over = threading.Event()

        def check() -> None:
            while not over.wait(0.5):
                for name in self.podman("ps", "--filter", "health=starting", "--format", "{{.Names}}").split():
                    subprocess.run(
                        self.command("podman", "healthcheck", "run", name), env=self.environment(), timeout=120,
                        capture_output=True, check=False,
                    )  # fmt: skip

        thread = threading.Thread(target=check)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @contextmanager
    def service(self) -> Iterator[None]:
        """Podman answers as the daemon of Docker does, for the length of the block."""
        words = self.command("podman", "system", "service", "--time=0", "unix:///run/podman.sock")
        with (self.folder / "service.log").open("wb") as log:
            process = subprocess.Popen(words, env=self.environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            eventually(lambda: self.run("sh", "-c", "test -S /run/podman.sock && echo yes"), within=60)
            yield
        finally:
            process.terminate()
            process.wait(30)

    def close(self) -> None:
        """Ends everything there."""
        try:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.podman("pod", "rm", "--all", "--force", "--time=0")
                self.podman("rm", "--all", "--force", "--time=0")
        finally:
            self._process.kill()
            self._process.wait()
