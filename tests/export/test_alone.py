"""The services.yaml of one service in a container: it means what the whole one means for that service."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from supervisor.config.load import load
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.export.model import Target
from supervisor.export.veil import veiled
from tests.export.conftest import ROOT, files
from tests.export.podman import DEBIAN

_PLACE = "usr/libexec/podman/quadlet"
GENERATOR = next((place for place in (Path("/", _PLACE), DEBIAN / _PLACE) if place.exists()), None)
SAME = (
    "ready", "healthcheck", "restart_policy", "success_exit_codes", "hooks", "stop_command", "stop_signal", "stop_to",
    "stop_grace_period", "limits", "memory_limit", "logging", "watchdog", "notify_socket", "bind", "handoff", "stdin",
    "one_shot", "umask", "pid_file", "port_env", "description", "rotate_after", "quarantine", "start", "start_timeout",
    "schedule", "stdio",
)  # fmt: skip


def alone(stack: StackSpec, folder: Path) -> dict[str, ServiceSpec]:
    """Each service as it is read in its container, with the secrets that it is given there."""
    found = {}
    for name, text in files(stack, Target.QUADLET).items():
        if name.endswith(".services.yaml"):
            service = name.removesuffix(".services.yaml").removeprefix(f"{stack.name}-")
            given = {secret.name: f"<{secret.key}>" for secret in veiled(stack).secrets[service] if secret.needed}
            found[service] = load(folder / "alone.yaml", given, text=text, ephemeral=()).services[service]
    return found


@pytest.mark.parametrize("which", ["rich", "shipped"])
def test_what_portsup_does_in_a_container_is_what_it_does_here(which: str, rich: StackSpec, tmp_path: Path) -> None:
    stack = rich if which == "rich" else load(ROOT / "services.yaml", {}, ephemeral=())
    inner = alone(stack, tmp_path)
    assert inner.keys() == stack.services.keys()
    for name, spec in stack.services.items():
        told = {key: getattr(inner[name], key) for key in SAME if not (name == "api" and key == "ready")}
        assert told == {key: getattr(spec, key) for key in told}
        assert inner[name].command[:3] == ("env", "-u", "PORTSUP_ENDPOINTS")
        assert inner[name].pool == spec.pool[:1]


def test_addresses_and_secrets_are_those_of_the_containers(rich: StackSpec, tmp_path: Path) -> None:
    inner = alone(rich, tmp_path)
    environment: dict[str, Any] = dict(inner["api"].environment)
    assert (environment["DB"], environment["SELF"]) == ("http://shop-db:15432", "{url:api}")
    assert (environment["DB_PASSWORD"], environment["HOST"]) == ("<API_DB_PASSWORD>", "0.0.0.0")
    assert environment["PORTSUP_DB_URL"] == "http://shop-db:15432"
    assert inner["api"].command[-2:] == ("--listen", "0.0.0.0:{port}")
    assert inner["api"].command[5].startswith("<API_SECRET_")
    assert inner["db"].working_dir == Path("/app/data")
    assert inner["db"].environment["PRICE"] == "5$ each"
    probe = inner["api"].ready.probe
    assert probe.ask is not None
    assert probe.ask.headers[0][1].startswith("<API_SECRET_")
    assert inner["seed"].depends_on == {}


def test_a_quadlet_waits_until_portsup_says_that_it_is_ready(rich: StackSpec) -> None:
    made = files(rich, Target.QUADLET)
    api = made["shop-api.container"]
    assert "Exec=portsup -f /etc/portsup/services.yaml up api\n" in api
    assert "Notify=true\n" in api
    assert "Requires=shop-db.service shop-seed.service\nAfter=shop-db.service shop-seed.service\n" in api
    assert "Secret=shop-API_DB_PASSWORD,type=env,target=DB_PASSWORD\n" in api
    assert "PublishPort=127.0.0.1:15440:15440\n" in api
    assert "Type=oneshot\nRemainAfterExit=yes\n" in made["shop-seed.container"]
    assert "[Install]" not in made["shop-worker.container"]
    assert made["shop.network"].endswith("[Network]\nNetworkName=shop\n")


def test_a_job_with_a_schedule_has_started_when_it_waits_for_its_time(newer: StackSpec) -> None:
    nightly = files(newer, Target.QUADLET)[f"{newer.name}-nightly.container"]
    assert "Notify=true\n" in nightly
    assert "Type=oneshot" not in nightly


@pytest.mark.live
@pytest.mark.skipif(GENERATOR is None, reason="there is no generator of podman: `make test-exports` has one")
def test_podman_makes_units_of_them(rich: StackSpec, tmp_path: Path) -> None:
    folder = tmp_path / "quadlets"
    folder.mkdir()
    made = files(rich, Target.QUADLET)
    for name, text in made.items():
        (folder / name).write_text(text)
    assert GENERATOR is not None
    ran = subprocess.run(
        [GENERATOR, "-dryrun"], env={"PATH": "/usr/bin:/bin", "QUADLET_UNIT_DIRS": str(folder)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "unsupported" not in ran.stderr
    assert ran.stdout.count("ExecStart=/usr/bin/podman run") == len(rich.services)
