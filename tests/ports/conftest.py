"""A runtime directory of the test's own, leases that end with the test, and strangers on ports."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from supervisor import system
from supervisor.ports.leases import PoolLease
from supervisor.ports.record import Owner
from supervisor.ports.reservation import Reservation, reserve
from supervisor.ports.runtime import RuntimeDir
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.system import beneath
from tests.support.ports import free_port

MakeLease = Callable[..., PoolLease]
Stranger = Callable[..., "subprocess.Popen[str]"]

_STRANGER = """
import os, socket, sys
port, listens, reuse = int(sys.argv[1]), sys.argv[2] == "listens", int(sys.argv[3])
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
sock.bind(("127.0.0.1", port))
if listens:
    sock.listen()
if sys.argv[4:]:
    os.setuid(int(sys.argv[4]))
print("ready", flush=True)
sys.stdin.readline()
try:
    sock.listen()
    print("listening", flush=True)
except OSError as error:
    print(error, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def runtime() -> Iterator[RuntimeDir]:
    directory = RuntimeDir.open()
    yield directory
    directory.close()


def owner(service: str = "web", instance: int = 1, run_id: str = "run-1", stack: str = "shop") -> Owner:
    """This process as the owner of a service's ports."""
    identity = system.identity_of(os.getpid())
    assert identity is not None
    return Owner(stack, instance, service, run_id, identity)


@pytest.fixture
def lease(runtime: RuntimeDir) -> Iterator[MakeLease]:
    """Makes leases, given back at the end."""
    with ExitStack() as made:

        def make(
            ports: Sequence[int], *, strict: bool = False, records_later: bool = False, **whose: object
        ) -> PoolLease:
            mine = owner(**whose)  # type: ignore[arg-type]
            new = PoolLease(mine, ports, runtime, strict=strict, records_later=records_later)
            made.callback(new.release)
            return new

        yield make


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """Starts a program of somebody else on a port; a line on its stdin makes it listen."""
    with ExitStack() as started:

        def start(
            port: int, *, listens: bool = True, reuse: bool = False, uid: int | None = None, **environment: str
        ) -> "subprocess.Popen[str]":
            arguments = [str(port), "listens" if listens else "binds", str(int(reuse))]
            process = subprocess.Popen(
                [sys.executable, "-c", _STRANGER, *arguments, *([str(uid)] if uid is not None else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | environment,
            )
            started.enter_context(process)
            started.callback(process.send_signal, signal.SIGKILL)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            return process

        yield start


@pytest.fixture(params=["root", "user"])
def sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceSockets]:
    """Those of a reserved port, for root and for users who may not write another owner on a socket."""
    if request.param == "user":
        monkeypatch.setattr(beneath, "may_disown", lambda: False)
    elif not beneath.may_disown():
        pytest.skip("not root")
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    made = ServiceSockets(reservation)
    yield made
    made.close()
    reservation.close()
