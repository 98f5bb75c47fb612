"""The server on the loopback: who gets through to it, and what has been tried against others like it."""

import asyncio
import contextlib
import os
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from supervisor.api.token import token_path, user_token
from supervisor.errors import PortsupError
from tests.live.stack import SLEEPS, Live
from tests.support.ports import free_pool

TOKEN = "a-token-of-many-letters"
OURS = {"host": "127.0.0.1:7090", "authorization": f"Bearer {TOKEN}"}


def answered(headers: dict[str, str] | list[tuple[str, str]], kind: str = "http") -> int:
    """The status of the answer to a request with these headers; 0 for none."""
    from starlette.responses import PlainTextResponse  # not while others collect

    from supervisor.mcp.guard import Guard

    sent: list[dict[str, Any]] = []
    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind, "method": "POST", "path": "/mcp",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(PlainTextResponse("in"), TOKEN, 7090)(scope, receive, send))
    return int(sent[0]["status"]) if sent else 0


@pytest.mark.parametrize("host", ["127.0.0.1:7090", "localhost:7090", "LOCALHOST:7090", "[::1]:7090"])
def test_who_has_the_token_gets_through(host: str) -> None:
    assert answered(OURS | {"host": host}) == 200
    assert answered(OURS | {"host": host, "origin": f"http://{host.lower()}"}) == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:7090"}, 401),
        (OURS | {"authorization": "Bearer"}, 401),
        (OURS | {"authorization": "Bearer "}, 401),
        (OURS | {"authorization": f"Bearer {TOKEN}x"}, 401),
        (OURS | {"authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        (OURS | {"authorization": f"Basic {TOKEN}"}, 401),
        (OURS | {"authorization": "Bearer \xff\xfe"}, 401),
        ({"host": "127.0.0.1:7090", "cookie": f"token={TOKEN}"}, 401),
        ([*OURS.items(), ("authorization", "Bearer x")], 401),
        (OURS | {"host": "evil.example:7090"}, 421),
        (OURS | {"host": "127.0.0.1"}, 421),
        (OURS | {"host": "127.0.0.1:7091"}, 421),
        (OURS | {"host": "127.0.0.1:7090.evil.example"}, 421),
        ({"authorization": f"Bearer {TOKEN}"}, 421),
        ([*OURS.items(), ("host", "evil.example")], 421),
        (OURS | {"origin": "http://evil.example"}, 403),
        (OURS | {"origin": "null"}, 403),
        (OURS | {"origin": "http://127.0.0.1:3000"}, 403),
        (OURS | {"origin": "https://127.0.0.1:7090"}, 403),
        (OURS | {"content-length": "4", "transfer-encoding": "chunked"}, 400),
    ],
)
def test_others_do_not(headers: Any, status: int) -> None:
    assert answered(headers) == status


def test_a_websocket_is_not_answered() -> None:
    assert answered(OURS, "websocket") == 0


def test_the_token_is_made_once_and_for_its_user_alone(own_folders: Path) -> None:
    token = user_token()
    assert len(token) > 40
    assert user_token() == token
    path = Path(token_path())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(PortsupError, match="others can read"):
        user_token()
    path.unlink()
    path.symlink_to(own_folders / "elsewhere")
    with pytest.raises(PortsupError, match="symbolic link"):
        user_token()


@pytest.mark.live
def test_a_client_with_the_token_works_with_the_stack(own_folders: Path) -> None:
    # Imported here, since that takes longer than all tests above.
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    ports = free_pool(2)
    live = Live(own_folders / "p", {"job": SLEEPS})
    server = live.popen("mcp", "--http", f"{ports[0]}-{ports[-1]}")
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url == f"http://127.0.0.1:{ports[0]}/mcp"

        token = Path(live.state / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}

        async def session() -> Any:
            async with (
                httpx2.AsyncClient(headers=headers, trust_env=False) as http,
                asyncio.timeout(60),
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                return (await client.call_tool("status", {})).structured_content

        assert asyncio.run(session())["services"] == ["job"]
        with httpx2.Client(trust_env=False) as stranger:
            assert stranger.post(url, json={}).status_code == 401
        with contextlib.ExitStack() as around:
            for _ in range(500):  # who asks nothing needs no token, and keeps nobody out all the same
                around.enter_context(socket.create_connection(("127.0.0.1", ports[0]), 20))
            assert asyncio.run(session())["services"] == ["job"]
        server.terminate()
        assert server.wait(20) == 128 + signal.SIGTERM
        assert (live.runtime / "ports" / f"{ports[0]}.json").read_text().strip() == ""
    finally:
        server.kill()
        server.wait(20)
        for stream in (server.stdout, server.stderr):
            if stream is not None:
                stream.close()
    assert not os.path.exists(live.runtime / "t-1.sock")
