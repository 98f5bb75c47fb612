"""`portsup mcp --http` as a process, and a client's side of it in plain HTTP and by the official client."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.stack import Live
from tests.support.ports import free_pool

NEWEST = "2026-07-28"
ADDRESS = "portsup://t/1/status"
ABOUT = {
    "io.modelcontextprotocol/protocolVersion": NEWEST,
    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Served:
    """A stack that runs, and `portsup mcp --http` for it."""

    def __init__(self, live: Live, port: int, token: str) -> None:
        self.live, self.port, self.token = live, port, token

    def asked(self, method: str, path: str, body: str = "", **headers: str) -> socket.socket:
        """A connection on which that has been asked, and which reads next to nothing ahead."""
        own = {
            "Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json", "Content-Length": str(len(body)),
            "Accept": "application/json, text/event-stream",
        }  # fmt: skip
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**own, **headers}.items())]
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall("\r\n".join([*lines, "", body]).encode())
        return connection

    def listens(self) -> socket.socket:
        """As a client of the newest protocol asks for a stream of notices."""
        params = {"notifications": {"resourceSubscriptions": [ADDRESS]}, "_meta": ABOUT}
        body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        named = {"MCP-Protocol-Version": NEWEST, "Mcp-Method": "subscriptions/listen"}
        return self.asked("POST", "/mcp", json.dumps(body), **named)

    def session(self) -> str:
        """The name of a new session of an older protocol."""
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about})
        with self.asked("POST", "/mcp", body) as connection:
            head = read_until(connection, b"\r\n\r\n").decode().lower()
        return next((line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("mcp-session-id")), "")

    def works(self, work: Callable[[Any], Awaitable[Any]], mode: str = "auto", **how: Any) -> Any:
        """What `work` gives with a client of its own."""
        import httpx2
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        async def run() -> Any:
            headers = {"Authorization": f"Bearer {self.token}"}
            url = f"http://127.0.0.1:{self.port}/mcp"
            async with (
                httpx2.AsyncClient(headers=headers, trust_env=False, timeout=120) as http,
                asyncio.timeout(150),
                Client(streamable_http_client(url, http_client=http), mode=mode, **how) as client,
            ):
                return await work(client)

        return asyncio.run(run())


def read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while end not in read and (piece := connection.recv(256)):
        read += piece
    return read


@contextmanager
def served(live: Live) -> Iterator[Served]:
    """`portsup mcp --http` for a stack that may run or not, until the end of the block."""
    ports = free_pool(2)
    server = live.popen("mcp", "--http", f"{ports[0]}-{ports[-1]}")
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == f"http://127.0.0.1:{ports[0]}/mcp"
        yield Served(live, ports[0], (live.state / "token").read_text().strip())
    finally:
        server.terminate()
        server.wait(20)
        for stream in (server.stdout, server.stderr):
            if stream is not None:
                stream.close()
