"""The services of services.yaml that start under wine; docs/how-to/run-on-windows.md says why the others do not."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_pool
from tests.windows.wine import ROOT, Running, Wine, seen

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

SERVICES = ("ollama-mcp", "groq-api", "sandra-ia", "conversational")
PATIENT = "140s"  # a busy machine takes half a minute for what it takes a second without wine


class Shipped:
    """The four, on ports of our own: what differs is laid over the file that everybody uses."""

    def __init__(self, wine: Wine, folder: Path) -> None:
        self.wine, self.folder = wine, folder
        self.ports = {name: free_pool(1)[0] for name in SERVICES}
        over = {
            name: {"pool": [port], "ready": {"http": "/health", "timeout": PATIENT}}
            for name, port in self.ports.items()
        }
        (folder / "over.yaml").write_text(json.dumps({"services": over}))
        self.files = ("-f", seen(ROOT / "services.yaml"), "-f", seen(folder / "over.yaml"))
        self.up: Running = wine.start(*self.files, "up", *SERVICES, cwd=folder)
        self.up.until("is up after", within=400.0)

    def get(self, service: str, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[service]}{path}", timeout=60) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def shipped(wine: Wine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipped]:
    made = Shipped(wine, tmp_path_factory.mktemp("shipped"))
    yield made
    wine.portsup(*made.files, "down", cwd=made.folder)


@pytest.mark.parametrize("service", SERVICES)
def test_it_answers(shipped: Shipped, service: str) -> None:
    told = shipped.get(service, "/health")
    assert (told["service"], told["status"] in ("ok", "degraded")) == (service, True)  # without a model or a key


def test_its_state_is_shown(shipped: Shipped) -> None:
    done = shipped.wine.portsup(*shipped.files, "status", cwd=shipped.folder)
    rows = {line.split()[0]: line.split()[1:3] for line in done.stdout.splitlines()[1:] if line.strip()}
    for name, port in shipped.ports.items():
        assert rows[name] == [str(port), "running"], done.stdout + done.stderr


def test_services_find_one_another(shipped: Shipped) -> None:
    """Sandra-IA knows where its backends are from the endpoints file that portsup writes."""
    done = shipped.wine.portsup(*shipped.files, "env", "sandra-ia", cwd=shipped.folder)
    assert f"http://127.0.0.1:{shipped.ports['ollama-mcp']}" in done.stdout
    assert f"http://127.0.0.1:{shipped.ports['groq-api']}" in done.stdout


def test_they_end_with_code_0(shipped: Shipped) -> None:
    done = shipped.wine.portsup(*shipped.files, "down", cwd=shipped.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shipped.up.wait() == 0
