"""examples/library.py runs as its docstring says."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from supervisor.ports.runtime import RuntimeDir
from tests.support.ports import free_pool
from tests.support.thief import ways_in

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]


class Example:
    """The server of examples/library.py, started on a pool of the test."""

    def __init__(self, started: ExitStack, ports: tuple[int, ...]) -> None:
        self.process = started.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "examples.library", *map(str, ports)],
                cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        )  # fmt: skip
        started.callback(self.process.kill)
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith("http"):
                break

    def answer(self, port: int) -> str:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.makefile().read().splitlines()[-1]

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


@pytest.fixture
def started() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_the_example_serves_gives_a_second_copy_the_next_port_and_ends_without_its_lock(started: ExitStack) -> None:
    pool = free_pool(2)
    first, second = Example(started, pool), Example(started, pool)
    assert first.said == [f"http://127.0.0.1:{pool[0]}/"]
    assert second.said == [
        f"port {pool[0]}: leased to `hello` (pid {first.process.pid})",
        f"http://127.0.0.1:{pool[1]}/",
    ]
    assert [first.answer(port) for port in pool] == [f"hello from port {port}" for port in pool]
    third = Example(started, pool)
    code, errors = third.end()
    assert code == 12
    assert errors.startswith("error: cannot get a port for `hello`: ")
    os.unlink(RuntimeDir.find().port_lock(pool[0]))
    code, errors = first.end()
    assert code == 13
    assert errors.startswith(f"error: cannot keep port {pool[0]} of `hello`: the lock file ")
    assert ways_in(pool[0])
    second.process.send_signal(2)
    assert second.end() == (0, "")
