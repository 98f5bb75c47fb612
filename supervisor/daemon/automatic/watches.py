"""Does what a services.yaml asks for when files change: one process of its own watches those of all services."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from supervisor.config.spec import Probe, ProbeKind, ServiceSpec, Watch
from supervisor.core.journal import FilesChanged, WatchCommandFailed, WatchFailed
from supervisor.core.journal.event import Event
from supervisor.core.reasons import Cause
from supervisor.core.reasons import FilesChanged as Changed
from supervisor.core.service import Service
from supervisor.core.watch import Action, Moment, moment
from supervisor.daemon.checks.probes import Asker, ask
from supervisor.daemon.processes.errands import Errands
from supervisor.daemon.service.programs import Programs
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.tasks import begin
from supervisor.errors import REFUSALS, PortsupError
from supervisor.files.opening import explained
from supervisor.process.spawn import Command
from supervisor.words.reasons import text_of

LONGEST = 10.0  # seconds of changes without a pause that are told at once
COMMAND_WITHIN = 600.0  # seconds that the command of a change may take
RELOAD = 1  # SIGHUP
CHUNK = 1 << 16


class Surroundings(Protocol):
    """What the services are in."""

    def restart(self, name: str, why: Cause, /) -> None: ...
    def tell(self, event: Event, /) -> object: ...


class Watches:
    """The watched files of one instance."""

    def __init__(
        self, slots: Mapping[str, Slot], loop: asyncio.AbstractEventLoop, around: Surroundings, errands: Errands,
        programs: Programs,
    ) -> None:  # fmt: skip
        self._slots, self._loop, self._around = slots, loop, around
        self._errands, self._programs = errands, programs
        self._wanted: dict[str, ServiceSpec] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._settling: dict[str, tuple[asyncio.TimerHandle, set[str]]] = {}
        self._waiting: dict[str, set[str]] = {}  # those whose start is left to finish first
        self._commands: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()  # whose command has to run once more
        self._told: dict[str, str] = {}  # why it cannot be done, by service

    def configure(self, services: Mapping[str, ServiceSpec]) -> None:
        """Watches the files of these from now on, and no others."""
        wanted = {name: spec for name, spec in services.items() if spec.watch is not None}
        if {name: _told_of(spec) for name, spec in wanted.items()} == {
            name: _told_of(spec) for name, spec in self._wanted.items()
        }:
            self._wanted = wanted
            return
        self._wanted = wanted
        self._told.clear()
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        self.look()

    def look(self) -> None:
        """Begins to watch, if it should and does not."""
        if self._wanted and self._watcher is None:
            self._watcher = begin(self._watch(), self._loop)

    def changed(self, before: Service, after: Service) -> None:
        """A service may have finished its start by now."""
        if after.name in self._waiting and after.state is not before.state:
            self._loop.call_soon(self._act, after.name)

    def close(self) -> None:
        """Watches nothing any more, and ends the commands that run."""
        self._wanted = {}
        for timer, _ in self._settling.values():
            timer.cancel()
        self._settling.clear()
        self._waiting.clear()
        for task in (*self._commands.values(), *([self._watcher] if self._watcher else ())):
            task.cancel()

    async def _watch(self) -> None:
        with contextlib.ExitStack() as back:
            back.callback(self._ended, asyncio.current_task())
            try:
                source, sink = os.pipe()
                back.callback(os.close, source)
                back.callback(os.close, sink)
                os.set_blocking(source, False)
                lines = _Lines(self._heard)
                self._loop.add_reader(source, lines.read, source)
                back.callback(self._loop.remove_reader, source)
                await self._errands.run(self._command(sink))
                lines.read(source)
            except PortsupError as error:
                self._fail(None, str(error), error.hint or None)
            except OSError as error:
                self._fail(None, explained(error), REFUSALS.get(error.errno or 0))

    def _ended(self, watcher: asyncio.Task[None] | None) -> None:
        if self._watcher is watcher:
            self._watcher = None  # the next round begins anew

    def _command(self, sink: int) -> Command:
        steps = [spec.watch.settle for spec in self._wanted.values() if spec.watch]
        task = {"step": round(min(steps) * 1000), "longest": round(LONGEST * 1000),
                "services": {name: _told_of(spec) for name, spec in self._wanted.items()}}  # fmt: skip
        argv = [sys.executable, "-P", "-m", "supervisor.daemon.automatic.file_watcher", json.dumps(task)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return Command(argv, environment, "/", sink, sink)

    def _heard(self, line: dict[str, Any]) -> None:
        if not self._wanted:  # it ends
            return
        if "error" in line:
            self._fail(line.get("service"), line["error"], line.get("hint"))
            return
        self._told.clear()
        shortest = min(spec.watch.settle for spec in self._wanted.values() if spec.watch)
        for name, paths in line["changed"].items():
            if name not in self._wanted:
                continue
            watch = self._wanted[name].watch
            timer, known = self._settling.pop(name, (None, set()))
            if timer is not None:
                timer.cancel()
            wait = max(0.0, (watch.settle if watch else 0.0) - shortest)
            self._settling[name] = self._loop.call_later(wait, self._settled, name), known | set(paths)

    def _settled(self, name: str) -> None:
        _, paths = self._settling.pop(name)
        self._waiting.setdefault(name, set()).update(paths)
        self._act(name)

    def _act(self, name: str) -> None:
        slot, paths = self._slots.get(name), self._waiting.get(name)
        watch = None if slot is None else slot.spec.watch
        if slot is None or watch is None or not paths:
            self._waiting.pop(name, None)
            return
        is_off = not slot.is_wanted or slot.is_leaving
        match Moment.NEVER if is_off else moment(watch, slot.service.state):
            case Moment.LATER:
                return
            case Moment.NOW:
                path = min(paths)
                slot.file_changes += 1
                self._around.tell(FilesChanged(service=name, path=path, count=len(paths), action=str(watch.action)))
                self._do(slot, watch, Changed(path, len(paths)))
        del self._waiting[name]

    def _do(self, slot: Slot, watch: Watch, why: Cause) -> None:
        match watch.action:
            case Action.RESTART:
                self._around.restart(slot.spec.name, why)
            case Action.RELOAD:
                slot.send_signal(RELOAD)
            case Action.RUN if slot.spec.name in self._commands:
                self._again.add(slot.spec.name)
            case Action.RUN:
                self._commands[slot.spec.name] = begin(self._run(slot, watch), self._loop)

    async def _run(self, slot: Slot, watch: Watch) -> None:
        name, why = slot.spec.name, ""
        try:
            words = self._programs.words(slot, watch.command)
            environment = self._programs.environment(slot, slot.service.port)
            asker = Asker(None, os.fspath(slot.spec.working_dir), environment, self._errands)
            why = text_of(await ask(Probe(ProbeKind.EXEC, command=words), asker, COMMAND_WITHIN))
        except PortsupError as error:
            why = str(error)
        finally:
            del self._commands[name]
        if why:
            self._around.tell(WatchCommandFailed(service=name, why=why))
        if name in self._again:
            self._again.remove(name)
            self._commands[name] = begin(self._run(slot, watch), self._loop)

    def _fail(self, service: str | None, why: str, hint: str | None) -> None:
        for name in [service] if service else self._wanted:
            if self._told.get(name) != why:  # told once
                self._told[name] = why
                self._around.tell(WatchFailed(service=name, why=why, hint=hint))


class _Lines:
    """Puts lines of JSON together."""

    def __init__(self, then: Callable[[dict[str, Any]], None]) -> None:
        self._then, self._rest = then, b""

    def read(self, source: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(source, CHUNK):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"{"):  # else a library complains of something
                        self._then(json.loads(line))


def _told_of(spec: ServiceSpec) -> dict[str, Any]:
    """What the watching process is told of a service."""
    watch, root = spec.watch, os.fspath(spec.working_dir)
    assert watch is not None
    paths: Collection[str] = watch.paths
    return {"root": root, "paths": [os.path.join(root, path) for path in paths], "ignore": list(watch.ignore),
            "settle": watch.settle}  # fmt: skip
