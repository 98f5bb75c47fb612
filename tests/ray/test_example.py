"""The stack of this repository on three nodes, by the files of examples/cluster; it works without a model."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.ray.conftest import LONG, Nodes
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import ROOT

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

FILES = (str(ROOT / "services.yaml"), str(ROOT / "examples" / "cluster" / "places.yaml"))
SERVICES = ("mcp-universal", "ollama-mcp", "groq-api", "sandra-ia", "conversational", "api-server")
TOKEN = "a-token-of-the-tests"


class Sandra:
    """The stack, with ports that are free here."""

    def __init__(self, nodes: Nodes, folder: Path) -> None:
        pools = {"services": {name: {"pool": list(free_pool(3))} for name in SERVICES}}
        (folder / "pools.yaml").write_text(yaml.safe_dump(pools))
        self._files = [word for file in (*FILES, str(folder / "pools.yaml")) for word in ("-f", file)]
        settings = {"PORTSUP_EXAMPLE_TOKEN": TOKEN, "MCP_ROOT": str(folder), "STT": "none", "TTS": "none"}
        self.env = {**nodes.env, **settings, "OLLAMA_MCP_MODEL_PATH": "/nowhere.gguf", "PORTSUP_ON": nodes.address}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "supervisor", *self._files, *words]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=LONG)

    def rows(self) -> dict[str, dict[str, Any]]:
        lines = self.run("status", "--format", "json").stdout.splitlines()
        return {row["name"]: row for row in map(json.loads, lines)}


@pytest.fixture
def sandra(nodes: Nodes, tmp_path: Path) -> Iterator[Sandra]:
    stack = Sandra(nodes, tmp_path)
    try:
        yield stack
    finally:
        stack.run("down", "-t", "0")


def test_the_model_is_on_one_node_and_the_gateway_on_another_finds_it(sandra: Sandra) -> None:
    started = sandra.run("up")
    assert started.returncode == 0, started.stdout + started.stderr
    rows = sandra.rows()
    assert {row["state"] for row in rows.values()} == {"running"}
    where = {name: row["node"].partition("/")[0] for name, row in rows.items()}
    assert where["ollama-mcp"] == "a"
    assert where["api-server"] == where["mcp-universal"] == "head"
    assert "a" not in {where[name] for name in ("sandra-ia", "groq-api", "conversational")}

    gateway = rows["api-server"]["url"]
    assert httpx2.get(f"{gateway}/api/health/aggregated").status_code == 401
    client = httpx2.Client(headers={"authorization": f"Bearer {TOKEN}"}, timeout=20)

    def seen() -> dict[str, Any] | None:
        told = client.get(f"{gateway}/api/health/aggregated").json()["services"]
        return told if not any(each["health"] == "down" for each in told.values()) else None

    told = eventually(seen, within=60, what="no service that is down")
    assert {name: each["url"] for name, each in told.items()} == {name: row["url"] for name, row in rows.items()}
    assert {each["source"] for each in told.values()} == {"endpoints"}
    models = client.get(f"{gateway}/sandra-ia/v1/models").json()["data"]
    assert "sandra" in {model["id"] for model in models}
    with httpx2.Client(headers={"host": "elsewhere.example"}) as stranger:
        assert stranger.get(f"{gateway}/health").json()["error"]["code"] == "invalid_host"


def test_without_a_token_nothing_is_exposed(sandra: Sandra) -> None:
    del sandra.env["PORTSUP_EXAMPLE_TOKEN"]
    refused = sandra.run("up")
    assert refused.returncode == 2
    assert "what clients must show" in refused.stderr
