"""The embedded model's engine: llama.cpp's server in a process of its own, which `llama.py` is.

Speaking HTTP with it on a unix socket, in a folder which only we may enter, is better than xllamacpp's Python calls:
those block a thread each, and can be stopped only between two tokens, so not while a long prompt is read. A connection
that is closed ends the work either way, within a second or so.
"""

import json
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

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


class Engine:
    """A running server; it ends with this process, or when it is closed."""

    def __init__(self, path: Path, at: Path, name: str, size: Size, silence: float, *, vectors: bool = False) -> None:
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
        at.unlink(missing_ok=True)  # of one that has died
        command = [sys.executable, "-m", "examples.ollama_mcp.llama", json.dumps(wanted)]
        # Its standard input is what it lives by: nobody else may keep the other end open.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[2], text=True
        )
        assert self._process.stdout is not None
        with self._process.stdout as output:
            said = output.readline().strip()
        if said != "ready":
            self.close()
            raise CannotLoad(said or f"the engine ended with {self._process.returncode} while it loaded `{path}`")
        # A connection is cheap here, and one that is kept may be closed just when it is used again.
        transport = httpx2.AsyncHTTPTransport(uds=str(at), limits=httpx2.Limits(max_keepalive_connections=0))
        timeout = httpx2.Timeout(silence, connect=5)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://embedded", timeout=timeout)

    @property
    def ended(self) -> int | None:
        """The exit code of one that has died; a signal's number below 0."""
        return self._process.poll()

    def close(self) -> None:
        """Ends it, and returns when it is gone; what it was answering breaks off."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
