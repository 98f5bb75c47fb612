"""Watches the processes of the services: whether they listen, become ready, stay well, and are alone on their port."""

import asyncio
import os
import re
from collections.abc import Callable, Collection
from functools import partial

from supervisor import system
from supervisor.config.spec import HandoffMode, Probe, ProbeKind
from supervisor.core import events as ev
from supervisor.core.address import host_of
from supervisor.core.handoff import Place
from supervisor.core.reasons import Cause, ListensElsewhere, MemoryAbove, NotSaidReady
from supervisor.core.state import IS_LIVE
from supervisor.daemon.checks import listeners
from supervisor.daemon.checks.intruders import Intruders
from supervisor.daemon.checks.listening import Expectation, ListenerSearch
from supervisor.daemon.checks.log_pattern import tell_if_it_lasts, watch_log
from supervisor.daemon.checks.probes import ASK_TIMEOUT, EXEC_TIMEOUT, Asker, ask
from supervisor.daemon.console.reporter import MOST_PORTS, Reporter
from supervisor.daemon.instance import Instance
from supervisor.daemon.processes.errands import Errands
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.processes.members import Members
from supervisor.daemon.service.environment import filled
from supervisor.daemon.service.programs import Programs
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.stack.endpoints import HOST
from supervisor.daemon.tasks import begin
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.system import Listener

FIRST_PAUSE = 0.01  # seconds between the first two readiness questions; doubles up to
LAST_PAUSE = 0.25


class ProcessChecks:
    """Turns what is seen of processes into events for their services."""

    def __init__(
        self, instance: Instance, programs: Programs, members: Members, errands: Errands, inquiries: Inquiries,
        reporter: Reporter,
    ) -> None:  # fmt: skip
        self._loop = instance.loop
        self._runtime = instance.runtime
        self._instance = instance.number
        self._programs = programs
        self._members = members
        self._errands = errands
        self._inquiries = inquiries
        self._reporter = reporter
        self._listening = ListenerSearch(instance.loop, inquiries, instance.runtime)
        self._is_measuring = False
        self._intruders = Intruders(instance.loop, inquiries, members, instance.runtime, self._intruded)

    def forget(self, slot: Slot, child: Child) -> None:
        """This process is on its way out: nothing more is asked or expected of it."""
        child.end_tasks()
        if child is slot.child:
            self._listening.forget(slot.spec.name)

    def watch_start(self, slot: Slot, child: Child) -> None:
        """Finds out when the new process is ready, in the way that its service asks for."""
        if child not in slot.children() or child.exit is not None or slot.spec.one_shot:
            return
        probe, port = slot.spec.ready.probe, slot.service.port
        match probe.kind:
            case ProbeKind.LOG:
                self._watch_log(slot, child, probe)
            case ProbeKind.STARTED:
                slot.keeper.tell(ev.BecameReady(child.pid))
            case ProbeKind.NOTIFY:
                tell_if_it_lasts(self._loop, slot, child, NotSaidReady())
            case ProbeKind.EXEC if port is None:
                self._ask_until_ready(slot, child, probe)
        if port is not None and child in slot.children():
            expected = self._expectation(slot, child, port)
            if child.handoff is not None:
                child.handoff.expect(expected.on_listening, expected.on_elsewhere)
            elif slot.spec.handoff is HandoffMode.SYSTEMD:
                expected.on_listening()  # its socket does, and has from the start
            else:
                self._listening.expect(slot.spec.name, expected)

    def _expectation(self, slot: Slot, child: Child, port: int) -> Expectation:
        def on_listening() -> None:
            self._note_address(slot, child, port, began_listening)

        def began_listening() -> None:
            is_alone = child.handoff is not None and child.handoff.elsewhere is None
            slot.keeper.tell(ev.BeganListening(child.pid, is_alone))
            probe = slot.spec.ready.probe
            if probe.kind in (ProbeKind.HTTP, ProbeKind.TCP, ProbeKind.EXEC) and child in slot.children():
                self._ask_until_ready(slot, child, probe)

        has_told = False

        def on_elsewhere(ports: Collection[int]) -> None:
            nonlocal has_told
            first, others = tuple(sorted(ports)[:MOST_PORTS]), max(0, len(ports) - MOST_PORTS)
            slot.keeper.tell(ev.ProbeFailed(child.pid, ListensElsewhere(first, port, slot.spec.port_env, others)))
            if not has_told:  # one warning a process, however many ports there will be
                has_told = True
                self._reporter.drifted(slot.spec.name, port, ports)

        return Expectation(
            port, lambda: (child.pid, child.main), lambda: self._members.of(slot, child), on_listening,
            lambda who: self._intruded(slot, child, who), on_elsewhere, child.spawned_at,
        )  # fmt: skip

    def _intruded(self, slot: Slot, child: Child, who: Cause) -> None:
        slot.keeper.tell(ev.Intruded(child.pid, who))

    def _watch_log(self, slot: Slot, child: Child, probe: Probe) -> None:
        try:
            pattern = self._filled(slot, probe).target
        except PortsupError as error:  # it names a service that a reload removes at this moment
            slot.keeper.tell(ev.ProbeFailed(child.pid, str(error)))
            return
        watch_log(self._loop, slot, child, pattern)

    def asker(self, slot: Slot, child: Child) -> Asker:
        """What a probe of a process needs to know of it."""
        folder = os.fspath(slot.spec.working_dir)
        return Asker(
            slot.service.port, folder, child.environment, self._errands, child.account, slot.host,
            slot.own_ports.append,
        )  # fmt: skip

    def _note_address(self, slot: Slot, child: Child, port: int, then: Callable[[], None]) -> None:
        """Finds out at which address the process listens, so that it is asked and reached there."""
        kept = slot.sockets.places(child.invocation) if slot.sockets is not None else {}

        def note(places: Collection[Place]) -> None:
            host = host_of(places)
            if host and host != slot.host:
                slot.shared.host = host
                self._programs.forget_endpoints()
            then()

        def told(found: list[Listener] | None) -> None:
            if child in slot.children():
                note([Place(int(each.family), each.address, each.v6_only) for each in found or ()])

        if claimed := [place for place, is_claimed in kept.items() if is_claimed]:
            note(claimed)
        else:
            listeners.look_once({port}, self._inquiries, told)

    def _filled(self, slot: Slot, probe: Probe) -> Probe:
        """The probe with what it asks for filled in; raises PortsupError while a reload removes whom it names."""
        port, endpoints = slot.service.port, self._programs.endpoints()
        host = HOST if probe.kind is ProbeKind.LOG else slot.host
        quote = re.escape if probe.kind is ProbeKind.LOG else str  # there it is a part of a regular expression
        fill = partial(filled, port=port, instance=self._instance, endpoints=endpoints, host=host)
        command = tuple(fill(word) for word in probe.command)
        target = fill(probe.target, quote=quote)
        how = probe.ask
        if how is not None:
            headers = tuple((name, fill(text)) for name, text in how.headers)
            how = replace(how, headers=headers)
        return Probe(probe.kind, target, command, how)

    def _ask_until_ready(self, slot: Slot, child: Child, probe: Probe) -> None:
        async def question() -> None:
            pause = FIRST_PAUSE
            patience = EXEC_TIMEOUT if probe.kind is ProbeKind.EXEC else ASK_TIMEOUT
            if check := slot.spec.healthcheck:  # what is healthy after so long is ready after so long
                patience = max(patience, check.timeout)
            while trouble := await self.ask(slot, probe, self.asker(slot, child), patience):
                if (port := slot.service.port) is not None:  # it may have begun to listen elsewhere as well
                    self._note_address(slot, child, port, lambda: None)
                slot.keeper.tell(ev.ProbeFailed(child.pid, trouble))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE)
            slot.keeper.tell(ev.BecameReady(child.pid))

        child.tasks.append(begin(question(), self._loop, lambda error: slot.keeper.failed(error, child.pid)))

    async def ask(self, slot: Slot, probe: Probe, asker: Asker, patience: float) -> Cause:
        """ "" if the answer is good, else what was wrong with it."""
        try:
            asked = self._filled(slot, probe)
        except PortsupError as error:
            return str(error)
        return await ask(asked, asker, patience)

    async def ask_process(self, slot: Slot, child: Child, probe: Probe, patience: float) -> Cause:
        """The same of one process of a service."""
        return await self.ask(slot, probe, self.asker(slot, child), patience)

    def watch_health(self, slot: Slot) -> None:
        """Asks a running process again and again whether it is well, if its service wants that."""
        check, child = slot.spec.healthcheck, slot.child
        if check is None or child is None:
            return

        async def watch() -> None:
            while True:
                try:
                    probe = self._filled(slot, check.probe)
                except PortsupError:  # not its fault, and soon it is asked otherwise
                    await asyncio.sleep(check.interval)
                    continue
                trouble = await ask(probe, self.asker(slot, child), check.timeout)
                event = ev.CheckFailed(child.pid, trouble) if trouble else ev.BecameHealthy(child.pid)
                slot.keeper.tell(event)
                await asyncio.sleep(check.interval)

        child.tasks.append(begin(watch(), self._loop, lambda error: slot.keeper.failed(error, child.pid)))

    def check_listeners(self, slots: Collection[Slot]) -> None:
        """Looks whether anybody but the service itself listens on the port of a running service."""
        self._intruders.look(slots)

    def check_memory(self, slots: Collection[Slot]) -> None:
        """Looks whether a service has more memory than it may have; one that is being replaced has two processes."""
        limited = [
            (slot, slot.child, slot.spec.memory_limit)
            for slot in slots
            if slot.spec.memory_limit and slot.child is not None and slot.beside is None
        ]
        if not limited or self._is_measuring:
            return
        has_orphans = bool(set(system.children_of(os.getpid())) - self._errands.reaper.others())
        large = [
            (slot, child, limit)
            for slot, child, limit in limited
            if slot.service.state in IS_LIVE and (has_orphans or not system.is_alone_within(child.pid, limit))
        ]
        if not large:
            return
        self._is_measuring = True

        def told(used: list[int] | None) -> None:
            self._is_measuring = False
            for (slot, child, limit), memory in zip(large, used or (), strict=False):
                if memory and slot.child is child and slot.service.state in IS_LIVE:
                    slot.keeper.tell(ev.MemoryExceeded(child.pid, MemoryAbove(memory, limit)))

        members = self._members.of
        self._inquiries.ask(
            lambda: [system.memory_above(members(slot, child), limit) for slot, child, limit in large], told
        )
