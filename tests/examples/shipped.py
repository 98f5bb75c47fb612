"""The whole stack of services.yaml, run by portsup on free ports, and a load on all its services."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from supervisor.control.client import Client
from supervisor.errors import PortsupError
from tests.examples.running import ROOT, environment
from tests.support.eventually import eventually
from tests.support.ports import free_pool

TOKEN = "a-token-of-the-tests"
AUTH = {"authorization": f"Bearer {TOKEN}"}


@dataclass
class Shipped:
    """A running stack."""

    folder: Path
    env: dict[str, str]

    @property
    def control(self) -> Client:
        return Client(self.folder / "run" / "sandra-1.sock")

    def portsup(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "supervisor", "-f", str(self.folder / "services.yaml"), *words]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=100)

    def rows(self) -> dict[str, dict[str, Any]]:
        """What `portsup status` tells, by service."""
        return {row["name"]: row for row in self.control.ask("status")["services"]}

    def url(self, name: str) -> str:
        """Where a service is just now."""
        return str(self.rows()[name]["url"])

    def kill(self, name: str) -> int:
        """SIGKILL for its main process, whose pid this is."""
        pid: int = self.rows()[name]["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid

    def log(self, name: str) -> str:
        return (self.folder / "state" / "sandra-1" / f"{name}.log").read_text(errors="replace")


@contextmanager
def shipped(folder: Path, **variables: str) -> Iterator[Shipped]:
    """Brings the stack up, with a token and these settings; it is ready when the block begins."""
    text = (ROOT / "services.yaml").read_text(encoding="utf-8")
    text, moved = re.subn(r"^    pool: .*$", lambda _: f"    pool: {list(free_pool(3))}", text, flags=re.MULTILINE)
    assert moved == 6
    text = text.replace("x-service: &service\n", f"x-service: &service\n  working_dir: {ROOT}\n")
    (folder / "services.yaml").write_text(text, encoding="utf-8")
    places = {"PORTSUP_RUNTIME_DIR": str(folder / "run"), "PORTSUP_STATE_DIR": str(folder / "state")}
    # The model is where it was fetched to, unless a test says otherwise.
    settings = {"PORTSUP_EXAMPLE_TOKEN": TOKEN, "PYTHONPATH": str(ROOT), "OLLAMA_MCP_MODEL_PATH": "", **variables}
    env = environment(**places, **settings)
    stack = Shipped(folder, env)
    try:
        up = stack.portsup("up", "-d")
        assert up.returncode == 0, up.stderr
        yield stack
    finally:
        with suppress(PortsupError):
            list(stack.control.stream("down", timeout=2))


@dataclass
class Load:
    """Every service asked over and over, by a client of its own; nobody waits for anybody."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    hit: set[str] = field(default_factory=set)  # the services that may break connections just now

    def until_all_answer(self) -> None:
        """Waits until every service has answered well again, several times."""
        before = Counter(self.answers)
        eventually(
            lambda: all(self.answers[name] >= before[name] + 3 for name in QUESTIONS),
            within=30,
            what=f"good answers of all, who gave {self.answers - before}",
        )


QUESTIONS: dict[str, Callable[[httpx2.Client, str], httpx2.Response]] = {
    "mcp-universal": lambda http, url: http.get(f"{url}/health"),
    "ollama-mcp": lambda http, url: http.get(f"{url}/v1/models"),
    "groq-api": lambda http, url: http.get(f"{url}/v1/models"),
    "sandra-ia": lambda http, url: http.post(
        f"{url}/v1/chat/completions", json={"messages": [{"role": "user", "content": "Tell me of rivers."}]}
    ),
    "conversational": lambda http, url: http.get(f"{url}/health/ready?settled"),
    "api-server": lambda http, url: http.get(f"{url}/api/health/aggregated"),
}


@contextmanager
def load(stack: Shipped) -> Iterator[Load]:
    """The load while the block runs. An answer is 200 or an error in the one shape; anything else is `wrong`."""
    state = Load()
    over = threading.Event()

    def ask(name: str) -> None:
        with httpx2.Client(trust_env=False, timeout=20, headers=AUTH) as http:
            while not over.is_set():
                try:
                    response = QUESTIONS[name](http, stack.url(name))
                    if response.status_code == 200:
                        state.answers[name] += 1
                    elif "code" not in response.json()["error"]:
                        state.wrong.append(f"{name}: {response.status_code} {response.text[:200]}")
                except (httpx2.HTTPError, ValueError, LookupError, TypeError) as error:
                    if name not in state.hit and not over.is_set():
                        state.wrong.append(f"{name}: {type(error).__name__}: {error}")
                time.sleep(0.02)  # enough to see what breaks, without taking the processor from what is tried

    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in QUESTIONS]
    for thread in threads:
        thread.start()
    try:
        yield state
    finally:
        over.set()
        for thread in threads:
            thread.join(25)
