"""Stacks that die in the middle of random commands, again and again: nothing outlives them, and the next one comes up.

It takes some seconds.  `make test-soak` goes on for an hour, with other commands and moments each time.
"""

import contextlib
import os
import random
import select
import signal
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import pytest

from supervisor.errors import ExitCode, PortsupError
from tests.live.conftest import Make
from tests.live.stack import Foreground, Live, is_locked
from tests.live.test_random_verbs import PATIENCE, SECONDS, Command, World
from tests.support.compiled import compiled
from tests.support.eventually import eventually
from tests.support.ports import free_pool

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(SECONDS + 120)]

VERBS = ("start", "stop", "restart", "rolling", "rotate", "kill", "reload", "status", "env")
SERVICES = ("web", "api", "job")
LATEST = 0.4  # seconds after the first command; most of them are over by then


class End(StrEnum):
    """What befalls a stack."""

    DAEMON = "the daemon is killed"
    GUARDIAN = "the process in front of it is killed"
    BOTH = "both are killed"
    LOCK = "the lock file of a port is removed"
    NUMBER = "the lock file of the instance is removed"


class Clients:
    """Clients that give commands until nobody answers any more."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.wrong: list[BaseException] = []
        scripts = [
            [Command(chance.choice(VERBS), chance.choice(SERVICES), chance.randrange(3)) for _ in range(4)]
            for _ in range(chance.randint(1, 5))
        ]
        self._threads = [threading.Thread(target=self._run, args=(world, each), daemon=True) for each in scripts]
        for thread in self._threads:
            thread.start()

    def _run(self, world: World, script: Sequence[Command]) -> None:
        try:
            for command in script:
                world.carry_out(command)
        except PortsupError:  # the stack has ended, or is about to
            pass
        except BaseException as error:
            self.wrong.append(error)

    def are_done(self) -> bool:
        """Whether each of them has had its answers, or has heard that there are none."""
        for error in self.wrong:
            raise error
        return not any(thread.is_alive() for thread in self._threads)


def befall(end: End, live: Live, up: Foreground, chance: random.Random) -> None:
    """Has it happen."""
    daemon = live.daemon()
    match end:
        case End.LOCK:
            chance.choice(sorted((live.runtime / "ports").glob("*.lock"))).unlink()
        case End.NUMBER:
            (live.runtime / "instances" / "t-1.lock").unlink()
        case _:
            victims = {End.DAEMON: [daemon], End.GUARDIAN: [up.process.pid], End.BOTH: [daemon, up.process.pid]}[end]
            for pid in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


CODES = {
    End.DAEMON: 128 + signal.SIGKILL, End.GUARDIAN: -signal.SIGKILL, End.BOTH: -signal.SIGKILL,
    End.LOCK: ExitCode.LOCK_LOST, End.NUMBER: ExitCode.LOCK_LOST,
}  # fmt: skip


def die(end: End, live: Live, world: World, chance: random.Random, first: dict[str, int]) -> None:
    """One life that ends like this."""
    with live.foreground() as up:
        up.says("is up")
        rows = live.rows()
        assert {name: rows[name]["port"] for name in first} == first, up.err
        assert world.processes() == {row["pid"] for row in rows.values()}, "of the life before, too"
        daemon = live.daemon()
        watch = os.pidfd_open(daemon)  # its number may be another's by the time that somebody looks
        clients = Clients(world, chance)
        time.sleep(chance.uniform(0, LATEST))
        befall(end, live, up, chance)
        code = up.ends(PATIENCE)
        assert code == CODES[end], f"{end}: {code}: {up.err}"
        assert "Traceback" not in up.err
        eventually(clients.are_done, within=PATIENCE, what=f"{end}: the end of all clients")
    try:
        is_over = bool(select.select([watch], [], [], PATIENCE)[0])
        assert is_over, f"{end}: the daemon lives on: {told_of(daemon)}\n{live.journal()[-8:]}"
    finally:
        os.close(watch)
    if end is not End.BOTH:  # then nobody is left but the next `up`
        eventually(lambda: not world.processes(), within=PATIENCE, what=f"{end}: the end of all services")
    eventually(lambda: not [path for path in live.runtime.rglob("*.lock") if is_locked(path)], what="free locks")


def told_of(pid: int) -> dict[str, str]:
    """What the kernel tells of a process."""
    told = {}
    for name in ("stat", "wchan", "cmdline"):
        with contextlib.suppress(OSError):
            told[name] = Path(f"/proc/{pid}/{name}").read_text().replace("\0", " ")
    return told


def test_a_stack_that_dies_leaves_nothing_and_the_next_one_comes_up(stack: Make, own_folders: Path) -> None:
    seed = random.randrange(2**32) if SECONDS else 1
    print(f"seed {seed}")
    chance = random.Random(seed)
    pools = free_pool(5)
    live = stack({})
    world = World(live, str(compiled("server", own_folders)), pools[:3], pools[3:], own_folders / "tasks")
    first = {"web": pools[0], "api": pools[3]}
    deadline = time.monotonic() + SECONDS
    for end in End:
        die(end, live, world, chance, first)
    while time.monotonic() < deadline:
        die(chance.choice(list(End)), live, world, chance, first)
    with live.foreground() as up:
        up.says("is up")
        up.send(signal.SIGTERM)
        assert up.ends() == 0, up.err
    live.leaves_nothing(*pools)
