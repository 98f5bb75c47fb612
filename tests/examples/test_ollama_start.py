"""Ollama MCP while it is getting ready: loading, looking for an Ollama, and cleaning up after others."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
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
QUESTION = {"messages": [{"role": "user", "content": "Say hello."}]}


@asynccontextmanager
async def talking_to(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


class Loading:
    """An engine that is loaded for as long as a test likes, and then cannot be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        loading = self

        class Slow(Engine):
            def __init__(self, *_: Any, **__: Any) -> None:
                loading.begun.set()
                loading.go_on.wait(20)
                raise CannotLoad("it is only for this test")

        self.kind = Slow
        monkeypatch.setattr("importlib.util.find_spec", lambda _: object())


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loading]:
    made = Loading(monkeypatch)
    yield made
    made.go_on.set()


def test_who_asks_waits_for_the_model_and_hears_why_there_is_none(tmp_path: Path, loading: Loading) -> None:
    model = tmp_path / "some-Model.gguf"
    model.touch()
    embedded = Embedded(model, Size(), 5, engine=loading.kind)

    async def story() -> None:
        async with talking_to(build(Backends(Ollama("", 5), embedded), Slots(2))) as client:
            assert (await client.get("/health")).json()["checks"] == {"model": "idle"}
            assert (await client.get("/health/ready")).status_code == 200
            asking = asyncio.create_task(client.post("/v1/chat/completions", json=QUESTION))
            assert await asyncio.to_thread(loading.begun.wait, 20)
            assert (await client.get("/health/ready")).status_code == 200
            loading.go_on.set()
            error = error_of(await asking, 503)
            assert (error["code"], "it is only for this test" in error["message"]) == ("no_backend", True)
            assert error_of(await client.get("/health/ready"), 503)["code"] == "no_backend"
            assert (await client.get("/health/ready?settled")).status_code == 200  # it gets no better than this
            assert (await client.get("/health")).json()["checks"] == {"model": "no_backend"}

    asyncio.run(story())
    assert embedded.model_name == "some-model"


def test_who_has_waited_long_enough_for_the_model_is_told_to_come_back(tmp_path: Path, loading: Loading) -> None:
    model = tmp_path / "some-Model.gguf"
    model.touch()

    async def story() -> None:
        embedded = Embedded(model, Size(), 0.05, engine=loading.kind)
        async with talking_to(build(Backends(Ollama("", 5), embedded), Slots(2))) as client:
            response = await client.post("/v1/chat/completions", json=QUESTION)
            assert error_of(response, 503)["code"] == "model_loading"
            assert response.headers["retry-after"] == "1"
            assert "is being loaded" in text_of(await client.post("/api/chat", json=QUESTION), 503)
            loading.go_on.set()

    asyncio.run(story())


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
