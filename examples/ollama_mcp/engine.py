"""The embedded model's engine: llama.cpp's server in a process of its own, which `llama.py` is.

Speaking HTTP with it on a unix socket, in a folder which only we may enter, is better than xllamacpp's Python calls:
those block a thread each, and can be stopped only between two tokens, so not while a long prompt is read. A connection
that is closed ends the work either way, within a second or so.
"""

import asyncio
import os
import shutil
import socket
import stat
import struct
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from examples.child import Child
from examples.on_demand import OnDemand
from examples.web import ServiceError

VECTOR_CONTEXT = 512  # tokens of a text to make a vector of
FOLDER = "ollama-mcp-"


class CannotLoad(Exception):
    """Why there is no embedded model, in half a sentence."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the machine the model may use."""

    at_once: int = 2  # answers, each with a whole context in memory
    # With a thread for every core llama.cpp spins at barriers, and becomes ten times slower as soon as anything else
    # runs on one of them.
    threads: int = 1
    context: int = 2048  # tokens of a conversation, question and answer together


class Engine(Child):
    """A running server."""

    def __init__(self, path: Path, at: Path, name: str, size: Size, *, vectors: bool = False) -> None:
        """Takes half a second of processor time; for a thread. Raises CannotLoad."""
        wanted = {
            "model": str(path),
            "at": str(at),
            "name": name,
            "vectors": vectors,
            "context": VECTOR_CONTEXT if vectors else size.context,
            "at_once": 1 if vectors else size.at_once,
            "threads": size.threads,
        }
        super().__init__("examples.ollama_mcp.llama", wanted, says=True)
        self._at = at
        said = self.first_line()
        if said != "ready":
            why = said or f"the engine ended with {self.wait()} while it loaded `{path}`"
            self.close()
            raise CannotLoad(why)
        # A connection is cheap here, and one that is kept may be closed just when it is used again.
        self.transport = httpx2.AsyncHTTPTransport(uds=str(at), limits=httpx2.Limits(max_keepalive_connections=0))

    def close(self) -> None:
        """Ends it, and returns when it is gone; what it was answering breaks off."""
        super().close()
        self._at.unlink(missing_ok=True)


class Engines(httpx2.AsyncBaseTransport):
    """Sends requests to an engine that comes with the first of them, and leaves when there have been none for long."""

    def __init__(self, name: str, make: Callable[[], Engine], idle: float, patience: float) -> None:
        """`name` is for people; a request waits `patience` seconds for an engine."""
        self.on_demand = OnDemand(name, make, idle)
        self._patience = patience

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises ServiceError: `model_loading`, `engine_died`; CannotLoad."""
        for is_last in (False, True):
            try:
                async with asyncio.timeout(self._patience):
                    engine = await self.on_demand.take()
            except TimeoutError:
                raise ServiceError("model_loading", f"{self.on_demand.name} is being loaded", retry_after=1) from None
            try:
                answer = await engine.transport.handle_async_request(request)
                assert isinstance(answer.stream, httpx2.AsyncByteStream)
                body = _Body(answer.stream, self.on_demand.give_back)
                return httpx2.Response(answer.status_code, headers=answer.headers, stream=body)
            except httpx2.TransportError as error:
                told = await self.on_demand.died(engine)
                self.on_demand.give_back()
                if told is None:
                    raise
                if is_last or not isinstance(error, httpx2.ConnectError):
                    raise told from None
                # It had died before this request reached it, so the next engine can have it.
            except BaseException:
                self.on_demand.give_back()
                raise
        raise AssertionError("the second time is the last")


class _Body(httpx2.AsyncByteStream):
    """An answer that is still arriving; `closed` is called once, when it has ended or is given up."""

    def __init__(self, stream: httpx2.AsyncByteStream, closed: Callable[[], None]) -> None:
        self._stream = stream
        self._closed: Callable[[], None] | None = closed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        closed, self._closed = self._closed, None
        try:
            await self._stream.aclose()
        finally:
            if closed is not None:
                closed()


def make_folder() -> Path:
    """An empty folder for sockets, which only this user may enter."""
    parent = tempfile.gettempdir()
    if len(parent) > 70:  # the path of a unix socket has room for about a hundred letters only
        parent = "/tmp"
    _sweep(Path(parent))
    return Path(tempfile.mkdtemp(prefix=FOLDER, dir=parent))


def _sweep(parent: Path) -> None:
    """Removes the folders of those who were killed before they could do it: nobody answers on a socket in there."""
    for folder in parent.glob(f"{FOLDER}*"):
        with suppress(OSError):
            status = folder.lstat()
            sockets = [path for path in folder.iterdir() if stat.S_ISSOCK(path.lstat().st_mode)]
            if status.st_uid == os.getuid() and sockets and not any(map(_is_answered, sockets)):
                shutil.rmtree(folder)


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
        return True


def architecture(path: Path) -> str:
    """What kind of model a GGUF file has, such as `llama`: the first of its facts, by the format's custom."""
    with path.open("rb") as file:
        magic, _, _, _ = struct.unpack("<4sIQQ", file.read(24))
        key = file.read(struct.unpack("<Q", file.read(8))[0] & 0xFF)
        kind, length = struct.unpack("<IQ", file.read(12))
        value = file.read(length & 0xFF)
    return value.decode() if (magic, key, kind) == (b"GGUF", b"general.architecture", 8) else "general"


def details(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A model's `details` in Ollama's words."""
    millions = facts.get("n_params", 0) / 1e6
    return {
        "format": "gguf",
        "family": "",
        "families": None,
        "parameter_size": f"{millions / 1000:.1f}B" if millions >= 1000 else f"{millions:.2f}M",
        "quantization_level": str(facts.get("ftype", "")),
    }
