"""Ollama MCP while it is getting ready: loading, looking for an Ollama, and cleaning up after others."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from examples.forward import Slots
from examples.ollama_mcp.__main__ import build
from examples.ollama_mcp.backends import Backends
from examples.ollama_mcp.embedded import Embedded
from examples.ollama_mcp.engine import FOLDER, CannotLoad, Engine, Size, make_folder
from examples.ollama_mcp.real import PROBE, Ollama
from tests.examples.running import error_of, text_of

pytestmark = pytest.mark.live


@asynccontextmanager
async def talking_to(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


def test_while_the_model_is_being_loaded_clients_are_told_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Engine):
        def __init__(self, *_: Any, **__: Any) -> None:
            begun.set()
            go_on.wait(20)
            raise CannotLoad("it is only for this test")

    model = tmp_path / "some-Model.gguf"
    model.touch()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    embedded = Embedded(model, Size(), 5, Slow)

    async def story() -> None:
        async with talking_to(build(Backends(Ollama("", 5), embedded), Slots(2))) as client:
            await asyncio.to_thread(begun.wait, 20)
            for response in (
                await client.get("/health/ready"),
                await client.get("/health/ready?settled"),
                await client.post("/v1/chat/completions", json={}),
                await client.post("/ollama/chat", json={}),
            ):
                assert error_of(response, 503)["code"] == "model_loading"
                assert response.headers["retry-after"] == "1"
            for response in (await client.get("/api/tags"), await client.post("/api/chat", json={})):
                assert text_of(response, 503) == "some-model is being loaded"
                assert response.headers["retry-after"] == "1"
            report = (await client.get("/health")).json()
            assert (report["status"], report["checks"]) == ("degraded", {"model": "model_loading"})
            go_on.set()
            async with asyncio.timeout(20):
                while "is being loaded" in text_of(response := await client.get("/api/tags"), 503):
                    await asyncio.sleep(0.01)
            assert "it is only for this test" in text_of(response, 503)
            assert (await client.get("/health/ready?settled")).status_code == 200  # it gets no better than this

    try:
        asyncio.run(story())
    finally:
        go_on.set()
    assert embedded.model_name == "some-model"


def test_two_that_ask_one_another_find_it_out() -> None:
    async def story() -> None:
        real = Ollama("", 5)
        app = build(Backends(real, Embedded(Path("/no/model"), Size(), 5)), Slots(2))
        async with talking_to(app) as client:
            answer = await client.get("/api/version", headers={PROBE: real.id})
            assert text_of(answer, 508) == "OLLAMA_BASE_URL leads back to this service"

    asyncio.run(story())


def test_the_sockets_of_those_who_were_killed_are_swept_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        parent = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sweep-", dir="/tmp")))
        monkeypatch.setattr(tempfile, "tempdir", str(parent))
        (parent / f"{FOLDER}empty").mkdir()  # whoever made it is about to listen there
        for name in ("dead", "alive"):
            folder = parent / f"{FOLDER}{name}"
            folder.mkdir()
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(folder / "chat.sock"))
            if name == "alive":
                listener.listen()
            else:
                listener.close()
        made = make_folder()
        assert {path.name for path in parent.iterdir()} == {f"{FOLDER}empty", f"{FOLDER}alive", made.name}
        assert made.stat().st_mode & 0o777 == 0o700
