"""Why a service does not come up: what a newcomer meets, finds out in one of the windows, and fixes there."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.live.stack import SLEEPS, Live
from tests.support.running import program

Ports = tuple[int, ...]
HTTP = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
OPENS = ["sh", "-c", "echo opening the store; exec sleep 1000"]


@dataclass(frozen=True)
class Story:
    """One trouble.

    services: what is in services.yaml, with three ports that are free
    names: the service that the trouble is with
    says: words that the window must show
    fixes: what the newcomer changes in the directory, of these services
    then: what they have portsup do: `start` the service, `reload`, or `up`
    """

    services: Callable[[Ports], dict[str, Any]]
    names: str
    says: str
    fixes: Callable[[Live, Ports], object]
    then: str

    @contextlib.contextmanager
    def told(self, live: Live, ports: Ports) -> Iterator[None]:
        """The trouble is there; the stack runs, where it can."""
        with contextlib.ExitStack() as there:
            there.callback(live.end)
            if self is STORIES["port taken"]:
                there.enter_context(socket.create_server(("127.0.0.1", ports[0])))
            else:
                live.run("up", "-d")
            if self is STORIES["lost lock"]:
                (live.runtime / "ports" / f"{ports[0]}.lock").unlink()
                live.ended()
            yield


def written(services: Callable[[Ports], dict[str, Any]]) -> Callable[[Live, Ports], object]:
    return lambda live, ports: live.write(services(ports))


def web(ready: str, ports: Ports, timeout: str) -> dict[str, Any]:
    return {"command": HTTP, "pool": list(ports[:1]), "ready": {"http": ready, "timeout": timeout}, "restart": "never"}


def store(line: str, timeout: str) -> dict[str, Any]:
    db = {"command": OPENS, "ready": {"log": line, "timeout": timeout}, "restart": "never"}
    return {"db": db, "web": {**SLEEPS, "depends_on": ["db"]}, "stays": SLEEPS}


# What never comes is not waited for long; what comes has its time also on a machine with much to do.
SOON, IN_TIME = "1s", "60s"
CRASHES = {"command": ["sh", "-c", "cat config.toml && exec sleep 1000"], "restart": "never", "ready": {"log": "port"}}
STORIES = {
    "port taken": Story(
        lambda ports: {"web": {"command": program("listens"), "pool": list(ports[:1])}}, "web", "held by",
        written(lambda ports: {"web": {"command": program("listens"), "pool": list(ports[:2])}}), "up",
    ),
    "crash": Story(
        lambda _: {"web": CRASHES, "stays": SLEEPS}, "web", "No such file",
        lambda live, _: (live.folder / "config.toml").write_text("port = 1\n"), "start",
    ),
    "failing probe": Story(
        lambda ports: {"web": web("/health", ports, "5s"), "stays": SLEEPS}, "web", "GET /health answered 404",
        written(lambda ports: {"web": web("/", ports, IN_TIME), "stays": SLEEPS}), "reload",
    ),
    "dependency not ready": Story(
        lambda _: store("ready to accept", SOON), "db", "no line matches",
        written(lambda _: store("opening", IN_TIME)), "reload",
    ),
    "lost lock": Story(
        lambda ports: {"web": {"command": program("listens"), "pool": list(ports)}}, "web", "was deleted",
        lambda live, ports: None, "up",
    ),
}  # fmt: skip
