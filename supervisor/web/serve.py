"""The server of the page: on a port of a pool of its own, until a signal ends it or the stack that it is for."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor import PortPool
from supervisor.api.following import Following
from supervisor.api.project import Project
from supervisor.api.silent import impatient
from supervisor.api.unwinding import unwound
from supervisor.dataclass import dataclass
from supervisor.errors import LockLost, PortsupError, refusal
from supervisor.web.app import MOST_WINDOWS, Page
from supervisor.web.guard import LOOPBACK, Guard, Site
from supervisor.web.keys import Keys
from supervisor.web.windows import Windows

_COMING = ("acquiring", "waiting", "preparing", "starting")
_SETTLED = 0.5  # seconds
MOST_AT_ONCE = 4 * MOST_WINDOWS  # connections; further ones are told to come again
MOST_SILENT = MOST_AT_ONCE // 2  # of these; more that ask nothing are closed


@dataclass(frozen=True, slots=True)
class Serving:
    """How the page is served.

    ports: the first one that is free is taken
    host: the address to listen on
    names: other names under which browsers may ask for it
    certificate: and `key`, files for TLS; empty for none
    read_only: whether nothing can be changed by it
    with_stack: whether it waits for the stack, and ends with it
    """

    ports: Sequence[int]
    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    read_only: bool = False
    with_stack: bool = False


def serve(project: Project, secret: str, serving: Serving) -> None:
    """Serves; prints the link first.

    Raises PoolExhausted where no port is free, LockLost when somebody else may have it, PortsupError for wrong files.
    """
    served: list[uvicorn.Server] = []

    def end(_: object = None) -> None:
        for each in served:
            each.should_exit = True

    pool = PortPool("portsup-web", serving.ports, host=serving.host, on_lost=_ender(end))
    with unwound(), pool.acquire() as lease:
        own = f"[{serving.host}]" if ":" in serving.host else serving.host
        place = Site(lease.port, tuple(dict.fromkeys((*LOOPBACK, own, *serving.names))), bool(serving.certificate))
        keys = Keys(secret, lease.port)
        page = Page(place, keys, Windows(project, MOST_WINDOWS), read_only=serving.read_only)
        config = uvicorn.Config(
            Guard(page.application(), place, keys), log_level="error", access_log=False, ws="none", lifespan="off",
            http=impatient(H11Protocol, MOST_SILENT), limit_concurrency=MOST_AT_ONCE, timeout_graceful_shutdown=1,
            server_header=False, proxy_headers=False,
            ssl_certfile=serving.certificate or None, ssl_keyfile=serving.key or None,
        )  # fmt: skip
        try:
            config.load()
        except OSError as error:  # ssl.SSLError is one
            refused = refusal(error, "cannot serve the page")
            raise refused or PortsupError("cannot serve the page by TLS", str(error.strerror or error)) from error
        served.append(uvicorn.Server(config))
        name = serving.names[0] if serving.names else own if serving.host not in ("0.0.0.0", "::") else "127.0.0.1"
        link = f"{'https' if place.is_tls else 'http'}://{name}:{lease.port}/enter#{keys.new_link_key()}"
        if serving.with_stack:
            _tied(project, link, end)
        else:
            print(link, flush=True)
        asyncio.run(served[0].serve(sockets=[lease.socket]))
        lease.check()


def _ender(end: Callable[[], None]) -> Callable[[LockLost], None]:
    return lambda _: end()


def _tied(project: Project, link: str, end: Callable[[], None]) -> None:
    """Prints the link once the stack is ready, and ends the server with it, or with whoever holds our stdin."""
    was_up = False
    due: threading.Timer | None = None

    def say() -> None:
        print(f"the page of this stack: {link}", flush=True)

    def told(_: object) -> None:
        nonlocal was_up, due
        if following.ended is not None:
            if was_up:
                end()
            return
        was_up = True
        if due is None and not any(row.state in _COMING for row in following.picture.services.values()):
            due = threading.Timer(_SETTLED, say)  # behind what `up` says of the start, which comes at the same moment
            due.daemon = True
            due.start()

    def until_left() -> None:
        while os.read(0, 4096):  # not by sys.stdin, whose lock would be held when the interpreter ends
            pass
        end()

    following = Following(project.running, told)
    threading.Thread(target=following.run, daemon=True).start()
    threading.Thread(target=until_left, daemon=True).start()
