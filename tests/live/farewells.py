"""Services whose processes take a moment for each client, and the crowds that call them."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import Live
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.live.test_own_sockets import how as how
from tests.live.test_own_sockets import up
from tests.support.caller import Calls, caller
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import PROGRAMS

CROWD = 6  # clients, more than a process accepts at once
# By name: at which address, and how many workers.
KINDS = {"one": ("127.0.0.1", 1), "four": ("127.0.0.1", 4), "one-v6": ("::1", 1), "four-v6": ("::1", 4)}
each_number_of_times = pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.long)])
Crowds = dict[str, list[Calls]]


@pytest.fixture
def slow(stack: Make, how: str) -> Live:
    """A stack of such services; of an ordinary user where it is not `bpf`."""
    live = stack({})
    if how != "bpf":
        python = python_of_nobody(live.env)
        live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    return live


def service(
    live: Live, *arguments: str, workers: int = 1, takes: float = 0.003, closes_at: Path | str = "",
    environment: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:  # fmt: skip
    """One of them, run by the Python that runs portsup; `closes_at`: not before there is this file."""
    python, *_ = live.command()[-3:]  # PYTHON -m supervisor
    command = [python, str(PROGRAMS / "takes_turns.py"), *arguments]
    told = {"WORKERS": workers, "TAKES": takes, "CLOSES_AT": os.fspath(closes_at), **(environment or {})}
    return {"command": command, "environment": told, **AT_ONCE, **more}


@contextlib.contextmanager
def served(live: Live, how: str, services: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, int]]:
    """The first port of each."""
    ports = iter(free_pool(2 * len(services)))
    pools = {name: [next(ports), next(ports)] for name in services}
    live.write({name: {**each, "pool": pools[name]} for name, each in services.items()})
    if how != "bpf":
        for path in (live.folder, live.folder.parent):
            os.chown(path, 65534, 65534)
    with up(live):
        for name, each in services.items():
            if "idle_stop" not in each:
                live.until(name, state="running", handoff=how)
        yield {name: pool[0] for name, pool in pools.items()}


def address_of(name: str) -> str:
    """Where the service with this name is called."""
    return KINDS.get(name, ("127.0.0.1",))[0]


@contextlib.contextmanager
def crowds_at(ports: Mapping[str, int], size: int = CROWD) -> Iterator[Crowds]:
    """Several clients at each service, by its name; each has been answered once."""
    with contextlib.ExitStack() as stack:
        crowds = {
            name: [stack.enter_context(caller(port, host=address_of(name))) for _ in range(size)]
            for name, port in ports.items()
        }
        answers(crowds)
        yield crowds


def answers(crowds: Crowds) -> None:
    """Waits until each client has been answered once more."""
    before = [(each, each.answered) for crowd in crowds.values() for each in crowd]
    eventually(lambda: all(each.answered > old for each, old in before), within=20)


def refuses(crowds: Crowds) -> None:
    """Waits until each client is refused."""
    eventually(lambda: all(each.refused for crowd in crowds.values() for each in crowd), within=20)


def unanswered(crowds: Crowds) -> dict[str, list[str]]:
    """Those of each service who had connected and got no answer."""
    bad = {name: [each for each in crowd if each.cut or each.late or each.strange] for name, crowd in crowds.items()}
    return {name: [f"{each}" for each in crowd] for name, crowd in bad.items() if crowd}


def start_again(live: Live, ports: Mapping[str, int]) -> None:
    """After a stop, or a move: on the first ports again."""
    assert all(result["ok"] for result in live.do("stop", *ports).values())
    assert all(result["ok"] for result in live.do("start", *ports).values())
