"""Hears what services say of themselves, sd_notify(3), believes only their own processes, and passes it on."""

from collections.abc import Callable

from supervisor import system
from supervisor.config.spec import NotifySocketKind, ProbeKind, ServiceSpec
from supervisor.core import events as ev
from supervisor.core.sd_notify import Notification, parse
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.instance import Instance
from supervisor.daemon.processes.members import Members
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.stalls import doing, has_time
from supervisor.ports.runtime import error_in
from supervisor.process.sd_notify_socket import NotifySocket
from supervisor.system import Identity
from supervisor.words import activities
from supervisor.words.refusals import no_notify_socket

LOOKUP_FACTOR = 10  # time between two lookups of processes, as a multiple of what one takes
MOST_SPEAKERS = 1000
PAUSE = 1.0  # seconds without hearing a service that has sent too many descriptors
AT_ONCE = 32  # datagrams of one service that are heard in one turn of the loop


class SdNotify:
    """The notify sockets of all services of one instance."""

    def __init__(self, instance: Instance, members: Members, reporter: Reporter) -> None:
        self._instance = instance
        self._loop = instance.loop
        self._members = members
        self._reporter = reporter
        self._told: set[tuple[int, str]] = set()  # what was told already, of which process
        self._speakers: dict[int, set[Identity]] = {}  # who has been found to be of the tree of which process
        self._lookups: dict[str, float] = {}  # when the processes of a service may be looked up again

    def offer(self, slot: Slot) -> dict[str, str]:
        """What the next process of a service is told, so that it can speak; nothing if it is not asked to.

        WATCHDOG_PID belongs to WATCHDOG_USEC.  Raises PortsupError.
        """
        spec = slot.spec
        has_bridge = spec.stdio is not None and not system.HAS_JOBS
        if not spec.wants_notices and not has_bridge:
            return {}
        if slot.notify is None or not slot.notify.is_in_place():
            self.forget(slot)
            path = self._instance.runtime.notify_socket(self._instance.stack, self._instance.number, spec.name)
            try:
                slot.notify = NotifySocket(path, is_abstract=_is_abstract(spec))
                self._loop.add_reader(slot.notify.fileno(), self.hear, slot)
            except OSError as error:
                self.forget(slot)
                raise error_in(no_notify_socket(spec.name), path, error) from error
        told = {"NOTIFY_SOCKET": slot.notify.address} if spec.wants_notices else {}
        if has_bridge:
            told["PORTSUP_BRIDGE"] = slot.notify.address
        if spec.watchdog:
            told["WATCHDOG_USEC"] = str(round(spec.watchdog * 1e6))
        return told

    def forget(self, slot: Slot) -> None:
        """Closes the socket of a service."""
        if slot.notify is not None:
            self._loop.remove_reader(slot.notify.fileno())
            slot.notify.close()
            slot.notify = None

    def hear(self, slot: Slot) -> None:
        """Takes what has come, though not more than is good for the others."""
        try:
            self._hear(slot)
        except OSError:  # nobody can be looked up just now: what they said is lost
            pass
        except Exception as error:
            self.forget(slot)  # or it would come again at once
            slot.keeper.failed(error, slot.service.pid)

    def _hear(self, slot: Slot) -> None:
        doing(self._loop, activities.HEARING_NOTICES, slot.spec.name)
        for number in range(AT_ONCE):
            if number and not has_time(self._loop):
                return
            if slot.notify is not None and slot.notify.has_many_to_close:
                self._pause(slot, slot.notify)
                return
            datagram = slot.notify.receive() if slot.notify is not None else None
            if datagram is None:
                return
            child, notice = self._speaker(slot, datagram.sender), parse(datagram.data)
            if child is None:
                self._refuse(slot, datagram.sender or 0)
            elif notice is None:
                self._once(child, self._reporter.notice_unreadable, slot.spec.name, len(datagram.data))
            else:
                self._pass_on(slot, child, notice)

    def _pause(self, slot: Slot, notify: NotifySocket) -> None:
        """Hears nothing of a service for a while, whose descriptors take so long to close."""
        self._loop.remove_reader(notify.fileno())

        def resume() -> None:
            if slot.notify is notify:
                try:
                    self._loop.add_reader(notify.fileno(), self.hear, slot)
                except OSError:  # no memory to be told just now
                    self._loop.call_later(PAUSE, resume)

        self._loop.call_later(PAUSE, resume)

    def _speaker(self, slot: Slot, sender: int | None) -> Child | None:
        """Of which process of the service the sender is, or is itself; None for a stranger.

        The processes of a tree are looked up for one that was not heard before, and the longer that takes the less
        often: strangers and large services can make it long.
        """
        for child in slot.children():
            if sender in (None, child.pid, child.main):
                return child
        who = system.identity_of(sender) if sender else None
        if who is None:
            return None
        for child in slot.children():
            if who in self._speakers.get(child.pid, ()):
                return child
        begun = self._loop.time()
        if begun < self._lookups.get(slot.spec.name, 0.0):
            return None
        found = next((child for child in slot.children() if self._members.has(slot, child, who.pid)), None)
        now = self._loop.time()
        self._lookups[slot.spec.name] = now + LOOKUP_FACTOR * (now - begun)
        if found is not None:
            speakers = self._speakers.setdefault(found.pid, set())
            if len(speakers) >= MOST_SPEAKERS:
                speakers.clear()
            speakers.add(who)
        return found

    def _refuse(self, slot: Slot, sender: int) -> None:
        for child in slot.children()[:1]:  # if none is left, it may be one of the service that has just ended
            name = system.process_name(sender) if sender else ""
            self._once(child, self._reporter.notice_refused, slot.spec.name, sender, name)

    def _pass_on(self, slot: Slot, child: Child, notice: Notification) -> None:
        if notice.sessions is not None and notice.programs is not None:
            child.bridged = notice.sessions, notice.programs
        pid = notice.main_pid
        if pid is not None and pid != child.main:
            if self._members.has(slot, child, pid):
                child.main, child.told = pid, system.identity_of(pid)
                self._reporter.main_told(slot.spec.name, pid)
            else:
                self._once(child, self._reporter.main_refused, slot.spec.name, pid)
        slot.keeper.tell(ev.Notified(child.pid, notice))
        if notice.is_ready and slot.spec.ready.probe.kind is ProbeKind.NOTIFY:
            slot.keeper.tell(ev.BecameReady(child.pid))

    def _once(self, child: Child, tell: Callable[..., None], *facts: str | int) -> None:
        if (child.pid, tell.__name__) not in self._told:
            self._told.add((child.pid, tell.__name__))
            tell(*facts)

    def ended(self, slot: Slot, child: Child) -> None:
        """A process of a service is gone: what it said last is heard, and not taken for a later one's."""
        self.hear(slot)
        self._told -= {each for each in self._told if each[0] == child.pid}
        self._speakers.pop(child.pid, None)


def _is_abstract(spec: ServiceSpec) -> bool:
    """Whether it gets a name that is no file; another user could not enter the folder of one that is."""
    if spec.notify_socket is NotifySocketKind.AUTO:
        return bool(spec.user)
    return spec.notify_socket is NotifySocketKind.ABSTRACT
