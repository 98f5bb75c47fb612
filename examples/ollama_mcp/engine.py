"""llama.cpp's server inside this process, which the embedded model runs in.

xllamacpp always opens a listener of its own, by default on a TCP port that nobody gave it. A path instead makes that a
unix socket, in a folder which only we may enter. Speaking HTTP with it there is better than xllamacpp's Python calls:
those block a thread each, and can be stopped only between two tokens, so not while a long prompt is read. A connection
that is closed ends the work either way, within a second or so.
"""

import os
import shutil
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx2

CONTEXT = 2048  # tokens of a conversation, question and answer together
VECTOR_CONTEXT = 512  # tokens of a text to make a vector of
FOLDER = "ollama-mcp-"


class CannotLoad(Exception):
    """Why there is no embedded model, in half a sentence."""


class Engine:
    """llama.cpp's server, listening on a unix socket for as long as this object lives."""

    def __init__(self, path: Path, at: Path, name: str, at_once: int, silence: float, *, vectors: bool = False) -> None:
        """Takes half a second of processor time; for a thread. Raises CannotLoad."""
        try:
            import xllamacpp
        except ImportError as error:
            raise CannotLoad(f"xllamacpp can not be imported: {error}") from None

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {name}
        params.hostnames = [str(at)]  # what ends in `.sock` is a path
        # With a thread for every core llama.cpp spins at barriers, and becomes ten times slower as soon as anything
        # else runs on one of them.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.n_parallel = 1 if vectors else at_once
        params.n_ctx = VECTOR_CONTEXT if vectors else CONTEXT * at_once
        # So many tokens of a prompt are read in one go, and a client that leaves is noticed only after it. A vector is
        # made of a text as a whole.
        params.n_batch = params.n_ubatch = VECTOR_CONTEXT if vectors else 128
        params.cache_ram_mib = 0  # else it keeps prompts of the past in up to 8 GiB
        params.warmup = params.ui = params.endpoint_slots = False
        params.verbosity = -1
        if vectors:
            params.embedding = True
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError:
            raise CannotLoad(f"`{path}` is not a model that llama.cpp can load") from None
        # A connection is cheap here, and one that is kept may be closed just when it is used again.
        transport = httpx2.AsyncHTTPTransport(uds=str(at), limits=httpx2.Limits(max_keepalive_connections=0))
        timeout = httpx2.Timeout(silence, connect=5)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://embedded", timeout=timeout)


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
