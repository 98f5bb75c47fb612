"""`portsup web` as a process, and a browser's side of it in plain HTTP."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.live.stack import Live
from tests.support.ports import free_pool


class Served:
    """A page that is served; `http` has logged in."""

    def __init__(self, process: "subprocess.Popen[str]", link: str) -> None:
        self.process = process
        self.link = link
        self.base, _, self.key = link.partition("/enter#")
        self.port = urlsplit(self.base).port or 0
        self.http = httpx2.Client(base_url=self.base, trust_env=False, timeout=30.0)
        self.headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}

    def enter(self) -> None:
        """Uses the link, as the page does."""
        answer = self.http.post("/enter", json={"key": self.key}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 200, answer.text
        self.headers["X-Portsup-Key"] = answer.json()["key"]

    def ask(self, what: str, **asked: Any) -> Any:
        answer = self.http.get(f"/api/{what}", params=asked, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, what: str, *services: str, **given: Any) -> list[dict[str, Any]]:
        """The steps of an order."""
        body = json.dumps({"do": what, **({"services": list(services)} if services else {}), **given})
        answer = self.http.post("/api/do", content=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    @contextmanager
    def stream(self) -> Iterator[Iterator[dict[str, Any]]]:
        """What a window is told, without the signs of life."""
        with self.http.stream("GET", "/api/stream", headers=self.headers) as answer:
            assert answer.status_code == 200

            def told() -> Iterator[dict[str, Any]]:
                for line in answer.iter_lines():
                    if line.startswith("data: {"):
                        yield json.loads(line[6:])

            yield told()

    def end(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(20)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def served(live: Live, *words: str, ports: str = "", enters: bool = True) -> Iterator[Served]:
    """`portsup web` for a stack, until the end of the block."""
    pool = free_pool(2)
    process = live.popen("web", "--ports", ports or f"{pool[0]}-{pool[-1]}", *words, stdin=subprocess.PIPE)
    assert process.stdout is not None
    link = process.stdout.readline().strip()
    assert "/enter#" in link, (link, process.stderr.read() if process.stderr and process.poll() is not None else "")
    page = Served(process, link)
    try:
        if enters:
            page.enter()
        yield page
    finally:
        page.end()
