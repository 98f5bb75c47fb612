"""How every service of the stack starts, listens and stops; `run` is the whole of it."""

import asyncio
import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from examples.gate import Gate, OpenRequests
from examples.trace import JsonLines, TextLines, Traced

LOOPBACK = "127.0.0.1"
# How long a request that is still being answered may go on after SIGTERM; then it is ended in good order.
FAREWELL = 0.3


class SettingError(Exception):
    """An environment variable that cannot be used; the service ends with code 2 and this one line."""


@dataclass(frozen=True, slots=True)
class Service:
    """What tells one service from the others."""

    name: str  # as in services.yaml
    port_env: str  # `PORT` is always understood as well
    token_env: str  # `PORTSUP_EXAMPLE_TOKEN` counts for all six
    health_alias: str = ""  # where older clients look for /health
    open_paths: tuple[str, ...] = ()  # answered without a token, as /health* is
    text_errors: str = ""  # below this path an error is `{"error": "message"}`, as clients of Ollama expect
    websockets: bool = False


def setting(name: str, default: str = "") -> str:
    """An environment variable without surrounding space; an empty one counts as unset."""
    return os.environ.get(name, "").strip() or default


def number(name: str, default: float, least: float = 0, most: float = 1e9) -> float:
    """An environment variable that is a number."""
    text = setting(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise SettingError(f"`{name}` must be a number from {least:g} to {most:g}, not `{text}`")
    return value


def port_of(service: Service, environ: Mapping[str, str] = os.environ) -> int:
    """The port to listen on: the service's own variable, else `PORT`."""
    for name in (service.port_env, "PORT"):
        text = environ.get(name, "").strip()
        if text:
            if text.isdecimal() and 0 < int(text) < 65536:
                return int(text)
            raise SettingError(f"`{name}` must be a port from 1 to 65535, not `{text}`")
    raise SettingError(f"no port: set `{service.port_env}` or `PORT`, or start it with portsup")


def inherited_socket() -> socket.socket | None:
    """The listener that whoever started us passed on as descriptor 3 (systemd's protocol), if it is meant for us."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)  # our own children must not take it for theirs
    return socket.socket(fileno=3)


def host_of(environ: Mapping[str, str] = os.environ) -> str:
    """The address to listen on: `HOST`, which portsup sets; the loopback where that is no address (csh sets it too)."""
    try:
        return str(ipaddress.IPv4Address(environ.get("HOST", "").strip()))
    except ValueError:
        return LOOPBACK


def token_of(service: Service) -> str:
    """What clients must show; empty means none is asked for. There is no default secret."""
    return setting(service.token_env) or setting("PORTSUP_EXAMPLE_TOKEN")


def choice(name: str, words: Sequence[str], default: str) -> str:
    """An environment variable that is one of a few words, in small letters."""
    value = setting(name, default).lower()
    if value not in words:
        raise SettingError(f"`{name}` must be {', '.join(words[:-1])} or {words[-1]}, not `{setting(name)}`")
    return value


def run(service: Service, make_app: Callable[[], Starlette]) -> None:
    """Serves until SIGTERM or SIGINT, then exits with 0; 2 for bad settings, 3 when the port cannot be had."""
    try:
        _log_to_stderr()
        host, token = host_of(), token_of(service)
        if host != LOOPBACK and not token:
            raise SettingError(f"others reach `HOST` {host}: set `PORTSUP_EXAMPLE_TOKEN`, or `{service.token_env}`")
        listener = inherited_socket() or _listen(host, port_of(service))
        health = ("/health", service.health_alias)
        gate = Gate(make_app(), token, health, service.open_paths, host, service.text_errors)
        requests = OpenRequests(gate, service.text_errors)
    except SettingError as error:
        sys.exit(_complain(service, str(error), 2))
    except OSError as error:
        sys.exit(_complain(service, str(error), 3))
    config = uvicorn.Config(
        Traced(requests, service.name),
        http="examples.connection:PromptProtocol",
        ws="examples.sockets:PatientProtocol" if service.websockets else "none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody is asked to believe who says where a request came from
        date_header=False,  # trace.py sets it, where an answer that is passed on has none
        ws_max_size=1024 * 1024,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
    asyncio.run(_serve(Server(config, requests, service.name), listener))


async def _serve(server: "Server", listener: socket.socket) -> None:
    await server.serve(sockets=[listener])
    logging.shutdown()
    sys.stdout.flush()
    # A name lookup that hangs sits in a thread which asyncio and the interpreter would both wait for.
    os._exit(0)


class Server(uvicorn.Server):
    """uvicorn without its ten ticks a second, and with an end for streams."""

    def __init__(self, config: uvicorn.Config, requests: OpenRequests, name: str) -> None:
        super().__init__(config)
        self._name = name
        self._requests = requests
        self._asked_to_stop = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # what a start has loaded stays: looking through it for garbage takes 40 ms now and then
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            logging.getLogger(self._name).info("listening on http://%s:%d (pid %d)", host, port, os.getpid())

    async def main_loop(self) -> None:
        self.server_state.default_headers = self.config.encoded_headers
        await self._asked_to_stop.wait()
        self._loop.call_later(FAREWELL, self._requests.end)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not uvicorn's own: that raises the signal once more at the end, and a clean stop should be an exit with 0.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._asked_to_stop.set)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if choice("LOG_FORMAT", ("text", "json"), "text") == "json" else TextLines())
    level = choice("LOG_LEVEL", ("debug", "info", "warning", "error", "critical"), "info")
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in ("uvicorn.error", "httpx2", "httpcore2", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn's words for an answer that gate.py breaks off on purpose, which says so itself.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing response" not in str(record.msg))


def _listen(host: str, port: int) -> socket.socket:
    # By name: asyncio sets TCP_NODELAY only on sockets that say so, and without it small answers wait 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def _complain(service: Service, text: str, code: int) -> int:
    print(f"error: {service.name}: {text}", file=sys.stderr)
    return code
