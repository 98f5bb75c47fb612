"""Random commands of up to ten clients at once against a stack, held against a model of what must come of them.

The model knows for each service whether it has to run in the end: what the last command said that starts or stops it.
Several clients have no order among them, so the last such command of each of them may have been the last of all.

It takes less than ten seconds.  `RANDOM_VERBS_SECONDS=3600 pytest tests/live/test_random_verbs.py` goes on for an hour,
with other commands each time.

More than 300 lines: what the clients do and what the model makes of it are read side by side.
"""

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from supervisor.control.client import DaemonGone
from supervisor.errors import PortsupError
from tests.live.conftest import Make
from tests.live.stack import Live, is_free, is_locked
from tests.support.compiled import compiled
from tests.support.descriptors import LOG, descriptors
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.processes import processes_with
from tests.support.running import PROGRAMS

SECONDS = float(os.environ.get("RANDOM_VERBS_SECONDS", "0"))
PATIENCE = 30.0  # seconds within which any command must be over; none takes a second
RESTARTING = {"restart": "always", "restart_policy": {"delay": "0s", "max_restarts": 1000000}, "rotate_after": 1000}
DEAF = ["sh", "-c", "trap '' TERM; exec sleep 1000"]  # takes its whole grace, so that a stop can be overtaken
NEEDS = {"api": "web"}  # what a start of a service starts besides

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(SECONDS + 120)]


class Command(NamedTuple):
    """What a client asks of one service; `crash` is no request, but a SIGKILL from outside."""

    verb: str
    service: str
    variant: int = 0  # of the configuration, for `reload`


COMMANDS = st.builds(
    Command,
    st.sampled_from(
        ("start", "stop", "restart", "rolling", "rotate", "kill", "crash", "reload", "dry_run", "status", "port", "env")
    ),
    st.sampled_from(("web", "api", "job")),
    st.integers(0, 2),
)
SCRIPTS = st.lists(COMMANDS, min_size=1, max_size=4)


class Answer(NamedTuple):
    """How a command went: its results, or why it was refused."""

    command: Command
    results: Sequence[Mapping[str, Any]]
    refused: str = ""


class World:
    """The stack, and everything of it that can be counted from outside."""

    def __init__(self, live: Live, server: str, web: Sequence[int], api: Sequence[int], tasks: Path) -> None:
        self.live = live
        self.kept = web  # nobody gets these, not even for a moment; `api` has to be given its port when it starts
        self.tasks_file = tasks
        self.services: dict[str, dict[str, Any]] = {
            "web": {"command": [server], "pool": list(web), **RESTARTING},
            "api": {"command": [server], "pool": list(api), "depends_on": ["web"], "handoff": "off", **RESTARTING},
            "job": {"command": DEAF, "stop_grace_period": "0.1s", **RESTARTING},
        }
        self.write(0)
        self._writing = threading.Lock()

    def write(self, variant: int) -> None:
        """Another configuration, for a reload: it restarts `web` and `job` where they run, and starts nothing."""
        other = {"environment": {"VARIANT": str(variant)}}
        services = self.services | {name: self.services[name] | other for name in ("web", "job")}
        new = self.live.folder / "new.yaml"
        new.write_text(yaml.safe_dump({"name": "t", "services": services}))
        new.replace(self.live.folder / "services.yaml")  # nobody reads half of it

    def carry_out(self, command: Command) -> Answer:
        """Sends one command and waits for the end of its answer."""
        verb, service, variant = command
        try:
            match verb:
                case "crash":
                    self._crash(service)
                    return Answer(command, ())
                case "status" | "env":
                    arguments: dict[str, object] = {"services": [service]} if verb == "status" else {"service": service}
                    self.live.client().ask(verb, **arguments)
                    return Answer(command, ())
                case "port":
                    assert service in self.live.client().ask("endpoints")["endpoints"] or service == "job"
                    return Answer(command, ())
                case "reload":
                    with self._writing:
                        self.write(variant)
                    lines = self.live.client().stream("reload")
                case "dry_run":
                    lines = self.live.client().stream("reload", dry_run=True)
                case "rolling":
                    lines = self.live.client().stream("restart", services=[service], rolling=True)
                case "rotate":
                    lines = self.live.client().stream("rotate", service=service)
                case "kill":
                    number = (signal.SIGKILL, signal.SIGTERM, signal.SIGCONT)[variant]
                    lines = self.live.client().stream("kill", services=[service], signal=int(number))
                case _:
                    lines = self.live.client().stream(verb, services=[service])
            *_, last = lines
            return Answer(command, last["results"])
        except DaemonGone:
            raise
        except PortsupError as error:
            if verb not in ("rolling", "rotate", "reload"):
                raise
            return Answer(command, (), str(error))

    def _crash(self, service: str) -> None:
        pid = self.live.rows()[service]["pid"]
        if pid is None:
            return
        with contextlib.suppress(OSError):  # it is gone already
            descriptor = os.pidfd_open(pid)
            try:
                if pid in self.processes():  # and nobody else has got its number
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)

    def holds_all(self) -> bool:
        """Whether it has every port of the pools; one that was just left may be had a moment later only."""
        ports = [port for row in self.live.rows().values() for port in row["pool"]]
        return {port["state"] for port in ports} == {"active", "spare"}

    def go_round(self) -> None:
        """Lets each service end and move and come again, so that all are in the same place when things are counted."""
        for each in [Command(verb, name) for name in self.services for verb in ("kill", "rotate", "stop", "start")]:
            self.carry_out(each)
        self.settled()
        eventually(self.holds_all, within=PATIENCE, what="all ports")

    def processes(self) -> set[int]:
        """Every process of a service."""
        found = processes_with(f"PORTSUP_SOCKET={self.live.runtime}")
        return set(found)

    def locked(self) -> set[str]:
        """Which files of the runtime directory somebody has a lock on."""
        return {path.name for path in self.live.runtime.rglob("*.lock") if is_locked(path)}

    def descriptors(self) -> Counter[str]:
        """What the daemon has open, and how often, but for the logs of services."""
        return Counter({word: n for word, n in descriptors(self.live.daemon()).items() if not LOG.search(word)})

    def tasks(self) -> str:
        """The asyncio tasks of the daemon."""
        self.tasks_file.unlink(missing_ok=True)
        os.kill(self.live.daemon(), signal.SIGWINCH)
        eventually(self.tasks_file.exists, what="the list of tasks")
        return self.tasks_file.read_text()

    def settled(self) -> dict[str, str]:
        """The state of each service, once nothing is under way any more and every process is accounted for."""

        def look() -> dict[str, str]:
            rows = self.live.rows()
            states = {name: row["state"] for name, row in rows.items()}
            blocked = {"failed"} if (states["web"], rows["api"]["result"]) == ("stopped", "dependency") else set()
            assert states["api"] in {"running", "stopped"} | blocked, rows
            assert {states["web"], states["job"]} <= {"running", "stopped"}, rows
            assert not any(row["beside"] for row in rows.values()), rows
            told = {row["pid"] for row in rows.values()} - {None}
            there = self.processes()
            assert told == there, f"told {told}, there are {there}: {rows}"
            return states

        return eventually(look, within=PATIENCE, what="rest")


class Clients:
    """Several clients at once, each with commands that it gives one after the other."""

    def __init__(self, world: World, scripts: Sequence[Sequence[Command]]) -> None:
        self.answers: list[list[Answer]] = [[] for _ in scripts]
        self.errors: list[BaseException] = []
        self._world = world
        self._together = threading.Barrier(len(scripts))
        self._threads = [
            threading.Thread(target=self._run, args=(script, answers), daemon=True)
            for script, answers in zip(scripts, self.answers, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, script: Sequence[Command], answers: list[Answer]) -> None:
        try:
            self._together.wait()
            for command in script:
                answers.append(self._world.carry_out(command))
        except BaseException as error:
            self.errors.append(error)

    def are_done(self) -> bool:
        """Whether every command has its answer; raises what went wrong with one."""
        for error in self.errors:
            raise error
        return not any(thread.is_alive() for thread in self._threads)


def wish(command: Command, service: str) -> tuple[bool, ...]:
    """What a command says of whether the service shall run: nothing, something, or, with two words, perhaps that."""
    verb, name, _ = command
    if verb == "stop" and name == service:
        return (False,)
    if verb in ("start", "restart") and name == service:
        return (True,)
    if verb == "start" and NEEDS.get(name) == service:
        return (True,)
    if verb == "restart" and NEEDS.get(name) == service:
        return (True, True)  # it starts what the other one needs where that one was at rest
    return ()


def possible(scripts: Sequence[Sequence[Command]], service: str, before: bool) -> set[bool]:
    """Whether the service may have to run after all these commands."""
    ends: set[bool] = set()
    somebody_said = False
    for script in scripts:
        for wished in (wish(command, service) for command in reversed(script)):
            ends |= set(wished)
            if len(wished) == 1:
                somebody_said = True
                break
    return ends if somebody_said else ends | {before}


class RandomVerbs(RuleBasedStateMachine):
    """Bursts of commands; after each of them everything must be as the model says."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.start_all()

    def start_all(self) -> None:
        """What every walk begins and ends with."""
        for service in self.world.services:
            assert all(result["ok"] for result in self.world.carry_out(Command("start", service)).results)
        self.runs = dict.fromkeys(self.world.services, True)
        self.check([])

    @rule(script=SCRIPTS)
    def one_client(self, script: list[Command]) -> None:
        """One after the other, everything works that can work."""
        for answer in self.burst([script]):
            if answer.command.verb in ("start", "stop", "restart"):
                assert all(result["ok"] for result in answer.results), answer

    @rule(scripts=st.lists(SCRIPTS, min_size=2, max_size=10))
    def many_clients(self, scripts: list[list[Command]]) -> None:
        """At once, somebody's last word is the last."""
        self.burst(scripts)

    def burst(self, scripts: list[list[Command]]) -> list[Answer]:
        """Carries out all of them, and checks; the answers."""
        clients = Clients(self.world, scripts)
        eventually(clients.are_done, within=PATIENCE, every=0.005, what=f"the end of {scripts}")
        self.check(scripts)
        return [answer for answers in clients.answers for answer in answers]

    def check(self, scripts: list[list[Command]]) -> None:
        """The model, and what never changes while the stack is up."""
        states = self.world.settled()
        for service, state in states.items():
            expected = possible(scripts, service, self.runs[service])
            assert (state != "stopped") in expected, f"{service} is {state}, and not {expected}: {scripts}"
            self.runs[service] = state != "stopped"
        note(f"now {states}")
        free = [port for port in self.world.kept if is_free(port)]
        assert not free, f"ports {free} are anybody's"

    def teardown(self) -> None:
        self.start_all()


def test_random_verbs_of_ten_clients_end_where_the_model_says(stack: Make, own_folders: Path) -> None:
    """No process, lock, descriptor or task is left over, either."""
    pools = free_pool(5)
    tasks = own_folders / "tasks"
    live = stack({})
    found = World(live, str(compiled("server", own_folders)), pools[:3], pools[3:], tasks)
    plain = live.command

    def command(*words: str) -> list[str]:
        python, _, _, *others = plain(*words)
        return [python, str(PROGRAMS / "tells_its_tasks.py"), str(tasks), *others]

    live.command = command  # type: ignore[method-assign]

    class Machine(RandomVerbs):
        world = found

    def walk() -> None:
        begin = settings(
            max_examples=20 if SECONDS else 8,
            stateful_step_count=8,
            deadline=None,
            phases=(Phase.generate,),
            derandomize=not SECONDS,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        # What can be done next depends on how far the stack is, and walks that begin alike need not go on alike.
        with contextlib.suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(Machine, settings=begin)

    with live.foreground() as up:
        up.says("is up")
        found.go_round()
        eventually(lambda: found.tasks() == "1 _live\n", what="the end of what answers")
        before = found.locked(), found.tasks(), found.descriptors()
        deadline = time.monotonic() + SECONDS
        walk()
        while time.monotonic() < deadline:
            walk()
        eventually(lambda: found.tasks() == before[1], what=f"tasks {before[1]!r}, there are {found.tasks()!r}")
        found.go_round()
        try:
            eventually(lambda: found.descriptors().total() <= before[2].total())
        except AssertionError:
            now = found.descriptors()
            raise AssertionError(f"more descriptors than before: {now - before[2]}, gone: {before[2] - now}") from None
        assert found.locked() == before[0]
        up.send(signal.SIGTERM)
        assert up.ends() == 0, up.err
        assert "Traceback" not in up.err
    live.leaves_nothing(*pools)
