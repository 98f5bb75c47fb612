"""A service of the stack as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests.support.eventually import eventually
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PORT_ENV = {
    "mcp_universal": "MCP_PORT",
    "ollama_mcp": "OLLAMA_MCP_PORT",
    "groq_api": "GROQ_API_PORT",
    "sandra_ia": "SANDRA_PORT",
    "conversational": "CONVERSATION_PORT",
    "api_server": "API_PORT",
}


@dataclass
class Running:
    """A started service and how to talk to it."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    http: httpx2.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def terminate(self) -> int:
        """SIGTERM, and the exit code; the bound is generous, because machines can be slow."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


def environment(**variables: str) -> dict[str, str]:
    """Nothing of the user's that the services know, no proxy, and no model, whether one was fetched or not."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "OLLAMA_MCP_MODEL_PATH": str(ROOT / "no-model.gguf"), **variables}


def run_to_end(module: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """For a service that is not expected to stay."""
    command = [sys.executable, "-m", f"examples.{module}"]
    return subprocess.run(command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=30)


def service(module: str, *, within: Sequence[str] = (), **variables: str) -> AbstractContextManager[Running]:
    """Starts a service, waits until it answers, and kills it at the end if it still runs; `within` runs its command."""
    return started(module, variables, within=within)


@contextmanager
def started(
    module: str, variables: dict[str, str], *, wait: bool = True, within: Sequence[str] = ()
) -> Iterator[Running]:
    """The same; `wait=False` leaves the waiting to the caller."""
    port = free_port()
    env = environment(**{PORT_ENV[module]: str(port)}, **variables)
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
        with log.open("wb") as output:
            command = [*within, sys.executable, "-m", f"examples.{module}"]
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
        stack.callback(process.wait, 10)
        stack.callback(process.kill)
        base = f"http://127.0.0.1:{port}"
        client = stack.enter_context(httpx2.Client(base_url=base, trust_env=False, timeout=15))
        running = Running(process, port, log, client)
        if wait:
            until_it_answers(running)
        yield running


@contextmanager
def services(variables: dict[str, dict[str, str]], names: Sequence[str]) -> Iterator[dict[str, Running]]:
    """Several at once, which takes no longer than the slowest."""
    with ExitStack() as stack:
        every = {name: stack.enter_context(started(name, variables.get(name, {}), wait=False)) for name in names}
        for running in every.values():
            until_it_answers(running)
        yield every


def until_it_answers(running: Running) -> None:
    def answers() -> bool:
        assert running.process.poll() is None, running.output()
        try:
            return running.http.get("/health", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    eventually(answers, within=40, what=f"an answer from {running.url}")


def processes(marker: str) -> list[int]:
    """Processes of this machine that have a word in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(marker in word for word in process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@contextmanager
def asking(running: Running, path: str, body: Any) -> Iterator[None]:
    """A client that sends a request and leaves at the end of the block, without having read a word."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost:{running.port}\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(head.encode() + content)
        yield


def text_of(response: httpx2.Response, status: int) -> str:
    """An error of Ollama's API, whose shape is `{"error": "text"}`, checked."""
    assert response.status_code == status, response.text
    document: dict[str, Any] = response.json()
    assert set(document) == {"error"}
    text = document["error"]
    assert isinstance(text, str)
    assert text
    if status in (429, 503):
        assert int(response.headers["retry-after"]) >= 1
    return text


def error_of(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The one shape of errors, checked."""
    assert response.status_code == status, response.text
    document: dict[str, Any] = response.json()
    assert set(document) == {"error"}
    assert {"code", "message", "type"} <= set(document["error"])
    if status in (429, 503):
        assert int(response.headers["retry-after"]) >= 1
    error: dict[str, Any] = document["error"]
    return error
