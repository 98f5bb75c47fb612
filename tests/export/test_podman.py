"""Exported files are run: manifests by Podman, a compose.yaml by Docker Compose and by podman-compose, and quadlets."""

import base64
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.export.image import write_image
from tests.export.podman import DEBIAN, HERE, IMAGE, Podman
from tests.support.eventually import eventually
from tests.support.running import ROOT

pytestmark = [pytest.mark.live, pytest.mark.timeout(500)]

DB, WEB = 18100, 18110
# The secret backwards: portsup does not write it into logs as it is.
SERVES = (
    "import http.server, os, sys\n"
    "print(os.environ['SERVER'], 'has', os.environ['API_TOKEN'][::-1], os.environ['PORTSUP_DB_URL'], flush=True)\n"
    "where = (os.environ['HOST'], int(os.environ['PORT']))\n"
    "http.server.ThreadingHTTPServer(where, http.server.SimpleHTTPRequestHandler).serve_forever()"
)
COMPOSE = {"docker-compose": "/usr/libexec/docker/cli-plugins/docker-compose", "podman-compose": "podman-compose"}


@pytest.fixture
def podman(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    if os.geteuid() != 0 or not DEBIAN.is_dir():
        pytest.skip("there is no Debian with Podman: `make test-exports`, as root, makes one where it can")
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    write_image(archive)
    made = Podman(tmp_path)
    try:
        made.load(archive)
        if trouble := made.trouble():
            pytest.skip(f"Podman does not run containers here: {trouble}")
        yield made
    finally:
        made.close()


def services(**more: Any) -> dict[str, Any]:
    """`web` needs `db`, and has a secret."""
    return {
        "db": {
            "command": "python3 -m http.server --bind {host} {port}", "pool": [DB], "ready": {"http": "/hello"},
            "restart_policy": {"delay": "100ms"},
        },
        "web": {
            "command": ["python3", "-c", SERVES], "pool": [WEB], "depends_on": ["db"], "ready": {"http": "/"},
            "environment": {"SERVER": "web", "API_TOKEN": "${API_TOKEN}"},
        },
        **more,
    }  # fmt: skip


def exported(podman: Podman, target: str, these: dict[str, Any]) -> None:
    """Has the files of the export in the folder of the machine, without the values of secrets."""
    source = podman.folder / "project"
    source.mkdir()
    (source / "services.yaml").write_text(yaml.safe_dump({"name": "shop", "services": these}))
    words = [sys.executable, "-m", "supervisor", "export", target, "--image", IMAGE, "-o", str(podman.folder)]
    ran = subprocess.run(
        words, cwd=source, env={**os.environ, "PYTHONPATH": str(ROOT), "API_TOKEN": "hush-hush-1"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not any("hush-hush-1" in each.read_text() for each in podman.folder.glob("*.*"))


def test_manifests_are_run_with_what_is_waited_for_secrets_and_restarts(podman: Podman) -> None:
    exported(podman, "kubernetes", services())
    addresses = {"db": "10.213.0.2", "web": "10.213.0.3"}
    # What a Service would be: Podman has none.
    (podman.folder / "hosts").write_text("".join(f"{at} shop-{name}\n" for name, at in addresses.items()))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"}}
    value = base64.b64encode(b"hush-hush-1").decode()
    (podman.folder / "secret.yaml").write_text(yaml.safe_dump({**secret, "data": {"API_TOKEN": value}}))
    podman.podman("network", "create", "--subnet=10.213.0.0/24", "pods")
    podman.podman("kube", "play", f"{HERE}/secret.yaml")
    at = [f"--ip={each}" for each in addresses.values()]
    podman.podman("kube", "play", "--network=pods", *at, f"{HERE}/shop.yaml")

    assert "hello" in podman.answers(f"http://{addresses['web']}:{WEB}")
    wait = [each for each in podman.containers() if "wait-for-db" in each["Name"]]
    assert not any(each["State"]["Running"] for each in wait), "it has ended before the service began"
    assert f"web has 1-hsuh-hsuh http://shop-db:{DB}" in podman.podman("logs", "shop-web-pod-portsup")

    # The service restarts in its container.
    container = podman.until_runs("shop-db-pod-portsup")
    asks = ["portsup", "-f", "/etc/portsup/services.yaml", "kill", "-s", "KILL", "db"]
    podman.podman("exec", "shop-db-pod-portsup", *asks)
    eventually(lambda: status(podman, "shop-db-pod-portsup", "db") == ("running", 1), within=60)
    assert podman.answers(f"http://{addresses['db']}:{DB}/hello") == "hello\n"
    assert podman.until_runs("shop-db-pod-portsup") == container

    # Where portsup itself ends, its container restarts.
    podman.run("sh", "-c", f"kill -9 {container}")
    podman.until_runs("shop-db-pod-portsup", without=container)
    assert podman.answers(f"http://{addresses['db']}:{DB}/hello") == "hello\n"
    podman.podman("kube", "down", f"{HERE}/shop.yaml")
    assert podman.containers() == []


def status(podman: Podman, container: str, service: str) -> tuple[str, int]:
    """Its state and number of restarts, as portsup in the container says."""
    asks = ["portsup", "-f", "/etc/portsup/services.yaml", "status", service, "--format", "json"]
    row = json.loads(podman.podman("exec", container, *asks))
    return row["state"], row["restarts"]


@pytest.mark.parametrize("tool", sorted(COMPOSE))
def test_compose_starts_in_order_restarts_and_stops(tool: str, podman: Podman) -> None:
    def compose(*words: str) -> str:
        return podman.run(COMPOSE[tool], "-f", f"{HERE}/compose.yaml", *words)

    seed = {
        "command": ["sh", "-c", "curl -fsS {url:db}/hello"], "one_shot": True, "depends_on": {"db": "ready"},
        "restart": "never",
    }  # fmt: skip
    exported(podman, "compose", services(seed=seed))
    (podman.folder / ".env").write_text("API_TOKEN=hush-hush-1\n")
    if tool == "docker-compose":  # it asks Podman to be as new as Docker 25 for that
        text = (podman.folder / "compose.yaml").read_text()
        (podman.folder / "compose.yaml").write_text(re.sub(r"\n +start_interval: .*", "", text))
    with podman.service(), podman.checks():
        compose("up", "-d")
        assert "hello" in podman.answers(f"http://127.0.0.1:{WEB}")
        assert f"web has 1-hsuh-hsuh http://db:{DB}" in podman.podman("logs", name(podman, "web"))
        # On a slow machine podman-compose may start a job twice that has ended at once.
        assert set(podman.podman("logs", name(podman, "seed")).split()) == {"hello"}
        assert podman.container("seed")["State"]["ExitCode"] == 0

        old = podman.until_runs(name(podman, "db"))
        podman.run("sh", "-c", f"kill -9 {old}")
        podman.until_runs(name(podman, "db"), without=old)
        assert podman.answers(f"http://127.0.0.1:{DB}/hello") == "hello\n"
        compose("down")
        assert podman.containers() == []


def name(podman: Podman, service: str) -> str:
    """The container of a service of Compose."""
    found: str = podman.container(service)["Name"]
    return found


def test_quadlets_are_units_whose_containers_say_that_they_are_ready(podman: Podman) -> None:
    """What systemd would do with the units that Podman makes of them is done here, step by step."""
    exported(podman, "quadlet", services())
    (podman.folder / "secret").write_text("hush-hush-1")
    podman.podman("secret", "create", "shop-API_TOKEN", f"{HERE}/secret")
    made = units(podman.run("/usr/libexec/podman/quadlet", "-dryrun", "-no-kmsg-log", QUADLET_UNIT_DIRS=HERE))
    assert sorted(made) == ["shop-db.service", "shop-network.service", "shop-web.service"]
    assert "shop-db.service" in made["shop-web.service"]["Requires"].split()
    assert "shop-db.service" in made["shop-web.service"]["After"].split()
    assert [made[f"shop-{each}.service"]["Type"] for each in ("db", "web")] == ["notify", "notify"]

    carried_out(podman, "shop-network", made["shop-network.service"]["ExecStart"])
    for each in ("db", "web"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            heard.bind(str(podman.folder / "notify"))
            heard.settimeout(120)
            carried_out(podman, f"shop-{each}", made[f"shop-{each}.service"]["ExecStart"])
            while b"READY=1" not in heard.recv(4096).split(b"\n"):
                pass
        (podman.folder / "notify").unlink()
        assert status(podman, f"shop-{each}", each) == ("running", 0)
    assert "hello" in podman.run("curl", "-fsS", f"http://127.0.0.1:{WEB}")
    assert f"web has 1-hsuh-hsuh http://shop-db:{DB}" in podman.podman("logs", "shop-web")
    assert podman.run("podman", "exec", "shop-web", "curl", "-fsS", f"http://shop-db:{DB}/hello") == "hello\n"
    carried_out(podman, "shop-web", made["shop-web.service"]["ExecStop"])
    assert [each["Name"] for each in podman.containers()] == ["shop-db"]


def units(text: str) -> dict[str, dict[str, str]]:
    """The settings of each unit that the generator prints, by name; those that are there several times are one text."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("---"):
            settings = found[line.strip("-")] = {}
        elif "=" in line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            settings[key] = f"{settings[key]} {value}" if key in settings else value
    return found


def carried_out(podman: Podman, unit: str, line: str) -> None:
    """Runs a command of a unit as systemd would, but for the control group that only systemd makes."""
    words = [word.replace("%N", unit).replace("%t", "/run").replace("%%", "%") for word in shlex.split(line)]
    podman.run(
        *(word for word in words if word != "--cgroups=split"), NOTIFY_SOCKET=f"{HERE}/notify", within=180.0
    )  # fmt: skip
