"""Keeps the files of `render` current: fills their templates in, replaces them, and says so to whom it concerns."""

import asyncio
import os
from pathlib import Path

from supervisor.config.spec import OnChange, Probe, ProbeKind, RenderedFile, StackSpec
from supervisor.core.state import State
from supervisor.daemon.checks.probes import Asker, ask
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.processes.errands import Errands
from supervisor.daemon.service.environment import filled
from supervisor.daemon.service.programs import Programs
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.tasks import begin
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError
from supervisor.files.opening import why
from supervisor.files.replacement import write_if_different
from supervisor.words.reasons import text_of


def _mode_of(template: Path) -> int:
    try:
        return template.stat().st_mode & 0o777
    except OSError:  # it is gone, or nobody may look any more
        return 0o600


@dataclass(slots=True)
class Renderer:
    """The rendered files of one instance.

    Commands of `on_change` wait until the stack is up, because before that nobody can have read an older content
    from it; a service that was started after a file was replaced has read the new one, and gets no signal.
    """

    spec: StackSpec
    instance: int
    stack: Stack
    reporter: Reporter
    errands: Errands
    programs: Programs
    _is_up: bool = False
    _due: dict[OnChange, None] = field(default_factory=dict)
    _tasks: dict[OnChange, asyncio.Task[None]] = field(default_factory=dict)
    _told: dict[Path, str] = field(default_factory=dict)  # what is wrong with files, so that it is said once

    def render(self) -> None:
        """Brings every file up to date; what cannot be written is told, and goes on as it is."""
        for file in self.spec.render:
            to = Path(str(file.to).replace("{instance}", str(self.instance)))
            try:
                text = filled(file.text, None, self.instance, self.programs.endpoints())
                has_changed = write_if_different(to, text.encode(), most=_mode_of(file.template))
            except (OSError, PortsupError) as error:
                reason = why(error)
                if self._told.get(to) != reason:
                    self._told[to] = reason
                    self.reporter.not_rendered(to, reason)
                continue
            self._told.pop(to, None)
            if has_changed:
                self.reporter.rendered(to)
                self._follow_up(file)

    @property
    def has_unwritten(self) -> bool:
        """Whether a file could not be written the last time."""
        return bool(self._told)

    def stack_is_up(self) -> None:
        """Runs the commands that had to wait."""
        self._is_up = True
        self.render()
        self._run_what_is_due()

    def close(self) -> None:
        """Ends the commands that run."""
        self._is_up = False
        for task in list(self._tasks.values()):
            task.cancel()

    def _follow_up(self, file: RenderedFile) -> None:
        change = file.on_change
        if change is None:
            return
        if change.service in self.stack.slots:
            begin(self._signal(change, self.stack.loop.time()), self.stack.loop)
        elif change.command:
            self._due[change] = None
            self.stack.loop.call_soon(self._run_what_is_due)  # one run for several files

    def _run_what_is_due(self) -> None:
        for change in [change for change in self._due if self._is_up and change not in self._tasks]:
            del self._due[change]
            self._tasks[change] = begin(self._run(change), self.stack.loop)

    async def _run(self, change: OnChange) -> None:
        loop = self.stack.loop
        try:
            words = tuple(filled(word, None, self.instance, self.programs.endpoints()) for word in change.command)
            asker = Asker(None, os.fspath(self.spec.directory), self.programs.environment_of_commands(), self.errands)
            why = await ask(Probe(ProbeKind.EXEC, command=words), asker, change.timeout)
            if why:
                self.reporter.on_change_failed(change.command[0], text_of(why))
        except PortsupError as error:
            self.reporter.on_change_failed(change.command[0], str(error))
        finally:
            del self._tasks[change]
            if not loop.is_closed():
                loop.call_soon(self._run_what_is_due)  # files that changed in the meantime

    async def _signal(self, change: OnChange, written_at: float) -> None:
        slot = self.stack.slots[change.service]
        child = slot.child
        if child is None or child.spawned_at >= written_at:
            return
        # A program that just begins may not handle the signal yet, which would end it.
        await self.stack.until(lambda: slot.service.state is not State.STARTING)
        if slot.child is child and slot.service.state is State.RUNNING:
            slot.send_signal(change.signal)
