"""The document that describes the API Server's API: true, complete, and readable without the internet."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.running import Running, environment, service
from tests.support.needed import need_program
from tests.support.ports import free_port

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """In a stack whose other service is down."""
    path = tmp_path_factory.mktemp("api") / "endpoints.json"
    entry = {"port": (port := free_port()), "url": f"http://127.0.0.1:{port}"}
    path.write_text(json.dumps({"services": {"gone": entry}}))
    with service("api_server", PORTSUP_ENDPOINTS=str(path)) as running:
        yield running


def test_it_names_what_can_be_asked(api: Running) -> None:
    paths = api.http.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/services",
        "/api/services/{name}",
        "/api/health/aggregated",
        "/api/ports",
        "/api/tracing/stats",
        "/api/tracing/spans",
    }


def test_schemathesis_finds_nothing_that_the_document_does_not_say(api: Running) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *(
            "run",
            f"{api.url}/openapi.json",
            "--phases",
            "coverage,fuzzing",
            "--checks",
            "all",
            "--max-examples",
            "8",
            "--generation-database",
            "none",
        ),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment())
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "No issues found" in done.stdout


def test_the_page_of_the_document_works_without_the_internet(tmp_path: Path) -> None:
    """In a browser that knows no name and no address but ours."""
    browser = need_program("chromium")
    with service("api_server", API_TOKEN="a-token", PORTSUP_ENDPOINTS=str(tmp_path / "none")) as api:
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}/profile")
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        command = [browser, *flags, rules, "--virtual-time-budget=10000", "--dump-dom", f"{api.url}/docs"]
        page = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
        assert 'data-path="/api/health/aggregated"' in page
        assert api.http.get("/docs/../docs/secret").status_code == 401
