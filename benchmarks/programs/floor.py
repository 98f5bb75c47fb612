"""The least a supervisor in Python can do that imports asyncio, structlog and PyYAML, and nothing else.

floor.py [--hold] SOCKET PROGRAM FIRST STEP COUNT   runs COUNT copies of PROGRAM with PORT=FIRST, FIRST+STEP, ...
floor.py [--hold] SOCKET PROGRAM LOG                runs one copy and copies its standard output to LOG

It starts again what ends, ends its children when it is told to end, and answers on SOCKET to whoever connects.  No
locks, no ports held, no checks, no rotation, no secrets.  portsup depends on portalocker and psutil as well, but
imports neither on Linux, so they are left out.

With --hold there is the least of what keeps ports and leaves nothing behind as well: a process in front of it that
outlives it, a locked file for each port and one for itself, two bound sockets for each port that no program gets, and
every ten seconds a look at each lock and at who listens on this machine.  It still binds nothing for its programs,
checks nothing that they do, and writes no records and no journal.
"""

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.programs.holding import Held

UNUSED = ("ssl", "rich", "colorama", "better_exceptions", "greenlet")  # by portsup either
READ_SIZE = 1 << 18
LOOK_EVERY = 10.0  # seconds


def outlived() -> None:
    """Goes on in a child; the parent stays until that has ended."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status))


class Floor:
    """The children, by pid, with what starts each again."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.held: Held | None = None
        self.children: dict[int, int] = {}

    def start(self, port: int, output: int | None = None) -> None:
        actions = [] if output is None else [(os.POSIX_SPAWN_DUP2, output, 1)]
        environment = {**os.environ, "PORT": str(port)}
        pid = os.posix_spawn(self.program, [self.program], environment, file_actions=actions, setsid=True)
        self.children[pid] = port

    def reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self.start(self.children.pop(pid))

    def end(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGTERM)
        for _ in self.children:
            os.wait()
        if self.held is not None:
            self.held.release()
        os._exit(0)


def main(socket: str, program: str, *rest: str, hold: bool = False) -> None:
    """Runs until SIGTERM."""
    if hold:
        outlived()
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]  # None: cannot be imported
    import asyncio

    import structlog  # noqa: F401
    import yaml  # noqa: F401

    loop, floor = asyncio.new_event_loop(), Floor(program)
    loop.add_signal_handler(signal.SIGTERM, floor.end)
    if hold:
        from holding import Held  # type: ignore[import-not-found]  # late: not in the process in front

        floor.held = held = Held(os.path.dirname(socket), *(map(int, rest) if len(rest) == 3 else (0, 1, 0)))

        def look() -> None:
            loop.call_later(LOOK_EVERY, look)
            held.look()

        loop.call_later(LOOK_EVERY, look)
    if len(rest) == 1:
        source, sink = os.pipe2(os.O_CLOEXEC)
        log = os.open(rest[0], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        loop.add_reader(source, lambda: os.write(log, os.read(source, READ_SIZE)))
        floor.start(0, sink)
    else:
        loop.add_signal_handler(signal.SIGCHLD, floor.reap)
        first, step, count = map(int, rest)
        for number in range(count):
            floor.start(first + step * number)

    async def answer(reader: Any, writer: Any) -> None:
        writer.write(b"".join(b"%d running %d\n" % (port, pid) for pid, port in floor.children.items()))
        writer.close()

    loop.run_until_complete(asyncio.start_unix_server(answer, socket))
    loop.run_forever()


main(*filter("--hold".__ne__, sys.argv[1:]), hold="--hold" in sys.argv)
