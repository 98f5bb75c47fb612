"""The children of our tests do what their docstrings say."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.system import listening_ports_of
from tests.support.children import Child, Children, children
from tests.support.compiled import compiled
from tests.support.eventually import eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.live


@pytest.fixture
def start() -> Iterator[Children]:
    with children() as started:
        yield started


@pytest.fixture
def port() -> int:
    return free_port()


def listens_on(child: Child, port: int) -> None:
    eventually(lambda: listening_ports_of(child.members()) == {port})


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("name", ["listens", "ignores_sigterm", "http_health"])
def test_these_listen_on_their_port(start: Children, port: int, name: str) -> None:
    listens_on(start.program(name, environment={"PORT": str(port)}), port)


def test_it_answers_with_its_pid(start: Children, port: int) -> None:
    child = start.program("listens", environment={"PORT": str(port)})
    listens_on(child, port)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        assert int(connection.recv(20)) == child.pid


def test_the_c_server_listens_and_accepts(start: Children, port: int, tmp_path: Path) -> None:
    child = start.run(str(compiled("server", tmp_path)), environment={"PORT": str(port), "HOST": "127.0.0.1"})
    listens_on(child, port)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        assert connection.recv(1) == b""


def test_it_listens_late(start: Children, port: int) -> None:
    child = start.program("listens_late", "0.3", environment={"PORT": str(port)})
    assert listening_ports_of(child.members()) == set()
    listens_on(child, port)


def test_it_listens_elsewhere(start: Children, port: int) -> None:
    listens_on(start.program("listens_elsewhere", str(port), environment={"PORT": "1"}), port)


def test_its_health_can_be_switched(start: Children, port: int) -> None:
    child = start.program("http_health", environment={"PORT": str(port)})
    listens_on(child, port)
    assert [status(port, path) for path in ("/health", "/sick", "/health", "/well", "/health")] == [
        *(200, 200, 503, 200, 200),
    ]
    with pytest.raises(OSError, match=r"."):
        status(port, "/exit/7")
    assert child.wait() == 7


def test_it_exits_with_its_code(start: Children) -> None:
    assert start.program("exits", "5").wait() == 5
