"""Runs the hooks of the services: each beside the service's own processes, and ended with all that came of it.

Imported with the first hook that is run.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping

from supervisor.core import events as ev
from supervisor.core.reasons import EndedBySignal, EndedWithCode
from supervisor.core.service.hooks import facts
from supervisor.core.state import Hook
from supervisor.daemon.console.broadcast import Feed
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.processes.reaper import Reaper, code_and_signal
from supervisor.daemon.service.output import Output
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.spawner import spawn_failed
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError
from supervisor.process import tree
from supervisor.process.output import Lines, Stream
from supervisor.process.spawn import Command, spawn
from supervisor.words.reasons import text_of

LEFTOVER_CHECK = 0.05  # seconds between looks at what a hook left behind
LONGEST_QUOTE = 200  # characters of a hook's last line that are told

# Makes the command of a hook: its words, what it is told beside what the service gets, and where it prints to.
Make = Callable[[Slot, tuple[str, ...], Mapping[str, str], tuple[int, int]], Command]


@dataclass(slots=True, eq=False)
class Run:
    """One hook that runs."""

    slot: Slot
    hook: Hook
    number: int
    output: Output
    pid: int = 0
    invocation: str = ""
    began: float = 0.0
    status: int | None = None  # wait(2), once its main process has ended
    left: list[int] = field(default_factory=list)  # what that left behind
    last: bytes = b""  # line that it printed
    is_wanted: bool = True  # somebody waits for what it comes to

    def read(self, lines: bytes) -> None:
        """It printed this, without secrets as everything that is shown."""
        self.last = next((line for line in reversed(lines.split(b"\n")) if line.strip()), self.last)


class Hooks:
    """The hooks of all services of one instance that run now."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reaper: Reaper, run_id: str, make: Make, news: Feed, reporter: Reporter
    ) -> None:
        self._loop = loop
        self._reaper = reaper
        self._run_id = run_id
        self._make = make
        self._news = news
        self._reporter = reporter
        self._runs: list[Run] = []

    def run(self, slot: Slot, effect: ev.RunHook) -> None:
        """Starts a hook; what becomes of it is told to the service, even if nothing does."""
        command = slot.spec.all_hooks.get(effect.hook)
        if command is None:  # it was taken out of the file in this very moment
            slot.keeper.tell(ev.HookEnded(effect.number))
            return
        name = slot.spec.name

        def show(pipe: Stream, lines: Lines, now: float) -> None:
            run.read(bytes(lines))
            self._news.printed(slot, pipe, lines, now)

        try:
            with contextlib.ExitStack() as undo:
                output = Output(self._loop, slot.spec.name, slot.log, show, self._reporter.redactor)
                undo.callback(output.close)
                run = Run(slot, effect.hook, effect.number, output, began=self._loop.time())
                child = slot.child_of(effect.pid)
                pid = child.main if child is not None else effect.pid
                told = facts(slot.service, effect.hook, pid, text_of(slot.service.reason))
                made = self._make(slot, command.command, told, output.theirs)
                run.pid, run.invocation = spawn(made), made.environment[tree.INVOCATION]
                undo.callback(tree.end_at_once, run.pid)
                output.begin(slot.keeper.failed)
                undo.pop_all()
        except (PortsupError, OSError) as error:
            failed = spawn_failed(error)
            slot.keeper.tell(ev.HookEnded(effect.number, failed.why, is_final=not failed.is_transient))
            return
        self._runs.append(run)
        self._reaper.watch(run.pid, lambda status: slot.keeper.contain(self._exited, run, status))
        self._reporter.hook_runs(name, effect.hook, run.pid)

    def end(self, slot: Slot, number: int) -> None:
        """Kills a hook and all that came of it."""
        for run in self._runs:
            if run.slot is slot and run.number == number:
                run.is_wanted = False
                self._kill(run)

    def forget(self, slot: Slot) -> None:
        """The service is no longer ours: neither are its hooks, and its log is about to be closed."""
        for run in [run for run in self._runs if run.slot is slot]:
            run.is_wanted = False
            self._kill(run)
            run.output.finish()
            self._runs.remove(run)

    def _exited(self, run: Run, status: int) -> None:
        run.status = status
        self._look_at_leftovers(run)

    def _look_at_leftovers(self, run: Run) -> None:
        """What a hook leaves behind would outlive what it is for."""
        if run not in self._runs:
            return
        try:
            members = tree.members(self._tree(run)) if tree.can_look() else None
        except OSError:
            members = None
        if members is None:  # nobody can be looked up just now
            self._loop.call_later(LEFTOVER_CHECK, run.slot.keeper.contain, self._look_at_leftovers, run)
            return
        if not members:
            self._over(run)
            return
        if run.is_wanted and not run.left:
            self._reporter.hook_left(run.slot.spec.name, run.hook, sorted(members))
        run.left = sorted(members)
        self._kill(run)
        self._loop.call_later(LEFTOVER_CHECK, run.slot.keeper.contain, self._look_at_leftovers, run)

    def _kill(self, run: Run) -> None:
        tree.kill(self._tree(run))

    def _tree(self, run: Run) -> tree.Tree:
        others = self._reaper.others(run.pid)
        return tree.Tree(run.pid, self._run_id, run.slot.of, os.getpid(), others, run.invocation)

    def _over(self, run: Run) -> None:
        self._runs.remove(run)
        run.output.finish()
        if not run.is_wanted:
            return
        code, number = code_and_signal(run.status or 0)
        if code == 0:
            self._reporter.hook_done(run.slot.spec.name, run.hook, self._loop.time() - run.began)
            run.slot.keeper.tell(ev.HookEnded(run.number))
            return
        end = EndedWithCode(code or 0) if number is None else EndedBySignal(number)
        said = run.last.decode(errors="replace").strip()[:LONGEST_QUOTE]
        run.slot.keeper.tell(ev.HookEnded(run.number, end, said=said))
