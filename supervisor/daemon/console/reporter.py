"""Tells the terminal and the journal what happens to the services, without their secrets."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from supervisor.config.placeholders import fill
from supervisor.config.spec import ServiceSpec
from supervisor.control.progress import Late
from supervisor.core import journal
from supervisor.core.address import url_of
from supervisor.core.browsers import BLOCKED_BY_BROWSERS
from supervisor.core.reasons import Cause, facts_of
from supervisor.core.service import Service
from supervisor.core.stack import whole
from supervisor.core.state import SERVES, Result, State
from supervisor.daemon.console.foreground import Foreground
from supervisor.daemon.console.steps import because, event_of, listening_of
from supervisor.daemon.faults import of_service
from supervisor.daemon.service.slot import Slot
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.logs.journal import Journal
from supervisor.words.console import FILTER_REFUSED, HANDOFF_OFF, bad_port, stack_is_up, table, words_of
from supervisor.words.reasons import texts_of

MOST_PORTS = 20  # that an event lists
QUOTED_LINES = 10  # of what a service printed last, when it failed
SAYS_EVERY = 0.2  # seconds between two of a service's own words that are written down
QUIET_ABOUT = (Result.DEPENDENCY, Result.LOCK_LOST, Result.NO_PORT)  # failures that its output does not explain


class Reporter:
    """What portsup says while it runs."""

    def __init__(self, foreground: Foreground, journal: Journal, slots: Mapping[str, Slot]) -> None:
        self._foreground = foreground
        self._journal = journal
        self._slots = slots
        self.redactor = journal.redactor  # keeps the same secrets out of what the services print
        if foreground.manager is not None:
            foreground.manager.follow(slots)
        self._has_told_no_handoff = False
        self._said_at: dict[str, float] = {}
        self.has_clients: Callable[[], bool] = lambda: True  # somebody may look at the journal at any moment

    def say(self, words: str, level: str = "info") -> None:
        """Words for the person at the terminal."""
        self._foreground.say(self._journal.redact(words), level)

    def waiting(self, late: list[Late], is_note: bool = True) -> None:
        """Whom the start or the end of the stack waits for."""
        told = [replace(each, words=self._journal.redact(each.words)) for each in late]
        if self._foreground.is_live:
            self._foreground.show(told)
        elif is_note and told:
            self._foreground.say("\n".join(each.words for each in told))

    def changed(self, before: Service, after: Service, now: float) -> None:
        """A service changed; `now` is in monotonic seconds."""
        if self._foreground.manager is not None:
            self._foreground.manager.changed()
        slot = self._slots[after.name]
        if after.hook_trouble != before.hook_trouble and after.hook_trouble:
            self.tell(journal.HookFailed(service=after.name, state=str(after.state), **because(after.hook_trouble)))
        took = slot.ran if slot.child is None else now - slot.child.spawned_at
        if self._can_wait(before, after):
            tell = partial(self._tell_of, before, after, slot.spec, took)
            self._journal.put_off(lambda: self._told_or_not(after.name, tell))
            return
        events = self._tell_of(before, after, slot.spec, took, now)
        has_failed = any(isinstance(each, journal.ServiceFailed) for each in events) and after.result not in QUIET_ABOUT
        if has_failed or any(isinstance(each, journal.RollFailed) for each in events):
            self.quote(slot)

    def _can_wait(self, before: Service, after: Service) -> bool:
        """Whether to tell of a step when the service has what it needs: a restart waits for no journal.

        Where somebody looks on it is told at once; so is how a service fails, and what it says of itself.
        """
        if self._foreground.is_attached or self.has_clients() or after.state is State.FAILED:
            return False
        is_alone = before.beside is None and after.beside is None
        return is_alone and (after.state is not before.state or after.pid != before.pid)

    def _tell_of(
        self, before: Service, after: Service, spec: ServiceSpec, took: float | None, now: float = 0.0
    ) -> Sequence[journal.Event]:
        """Tells what a step is; of a service's own words only the first of a moment."""
        steps = (listening_of(before, after), event_of(before, after, spec, took))
        events = [each for each in steps if each is not None]
        for event in events:
            if isinstance(event, journal.ServiceSays):
                if now < self._said_at.get(after.name, 0.0) + SAYS_EVERY:
                    return ()
                self._said_at[after.name] = now
            self.tell(event)
        return events

    def tell(self, event: journal.Event) -> bool:
        """Something has happened: to the journal, and in words to the terminal; whether it was told."""
        event = self._of_replica(event)
        is_told = self._journal.tell(event)
        words = words_of(event) if is_told else ""
        if words:
            whose = f"{event.who}: " if isinstance(event, journal.OfService) else ""
            self.say(f"{whose}{words}", event.level)
        return is_told

    def _told_or_not(self, service: str, tell: Callable[[], object]) -> None:
        try:
            tell()
        except Exception as error:  # the service knows nothing of it
            of_service(service, error, self._journal)

    def _of_replica(self, event: journal.Event) -> journal.Event:
        """The event with the name of the service and the number of the replica, where there are several."""
        slot = self._slots.get(event.service) if isinstance(event, journal.OfService) else None
        if slot is None or slot.replica is None:
            return event
        return type(event)(**{**event.facts, "service": slot.of, "replica": slot.replica})

    def hook_runs(self, service: str, hook: str, pid: int) -> None:
        """A hook of a service was started."""
        self.tell(journal.HookRuns(service=service, hook=hook, pid=pid))

    def hook_done(self, service: str, hook: str, took: float) -> None:
        """It did what it had to, in so many seconds."""
        self.tell(journal.HookDone(service=service, hook=hook, took=round(took, 3)))

    def hook_left(self, service: str, hook: str, pids: Collection[int]) -> None:
        """It ended, and others of its processes did not."""
        self.tell(journal.HookLeft(service=service, hook=hook, pids=list(pids)))

    def main_told(self, service: str, pid: int) -> None:
        """A service named the process that stands for it."""
        self.tell(journal.MainTold(service=service, pid=pid))

    def heir(self, service: str, pid: int, why: str) -> None:
        """The main process of a service has ended, and another one stands for it."""
        self.tell(journal.MainTold(service=service, pid=pid, why=why))

    def abandoned(self, service: str, pids: Collection[int]) -> None:
        """What is left of a service is none of its any more, so that it can be started."""
        self.tell(journal.Abandoned(service=service, pids=list(pids)))

    def main_refused(self, service: str, pid: int) -> None:
        """The process that it named is not one of its own."""
        self.tell(journal.MainRefused(service=service, pid=pid))

    def notice_refused(self, service: str, pid: int, name: str) -> None:
        """A stranger spoke in the name of a service."""
        self.tell(journal.NoticeRefused(service=service, pid=pid, name=name))

    def notice_unreadable(self, service: str, size: int) -> None:
        """A service said what nobody understands, in so many bytes."""
        self.tell(journal.NoticeUnreadable(service=service, bytes=size))

    def skipped(self, service: str, port: int, skipped: Collection[tuple[int, Cause]]) -> None:
        """A service got another port than the first of its pool."""
        causes = {each: facts for each, why in skipped if (facts := facts_of(why)) is not None}
        texts = dict(texts_of(skipped))
        self.tell(journal.PortSkipped(service=service, port=port, skipped=texts, causes=causes or None))

    def obstructed(self, service: str, obstacle: PortsupError) -> None:
        """It can have none of its ports, because the system refuses something."""
        self.tell(journal.PortsNotLeased(service=service, why=str(obstacle)))

    def reaped(self, service: str, pids: Collection[int]) -> None:
        """What an earlier run left on a service's ports was ended."""
        self.tell(journal.OrphansReaped(service=service, pids=list(pids)))

    def drifted(self, service: str, port: int, elsewhere: Collection[int]) -> None:
        """A service listens, but not on the port that it was given."""
        variable = self._slots[service].spec.port_env
        first, count = sorted(elsewhere)[:MOST_PORTS], len(elsewhere)
        self.tell(journal.WrongPort(service=service, port=port, elsewhere=first, count=count, variable=variable))

    def no_handoff(self, why: str) -> None:
        """Ports are not handed over here; `why` is empty where nobody wants it.  Said once."""
        if why and not self._has_told_no_handoff:
            self._has_told_no_handoff = True
            self.tell(journal.NoHandoff(why=why))

    def rendered(self, file: Path) -> None:
        """A file of `render` has another content."""
        self.tell(journal.FileRendered(file=str(file)))

    def not_rendered(self, file: Path, why: str) -> None:
        """A file of `render` cannot be written."""
        self.tell(journal.FileNotRendered(file=str(file), why=why))

    def on_change_failed(self, program: str, why: str) -> None:
        """The command that follows a rendered file was of no use."""
        self.tell(journal.OnChangeFailed(program=program, why=why))

    def moved(self, service: str, port: int, to: int | None) -> None:
        """A service bound a port of its own choice, and got the one that it was given instead."""
        self.tell(journal.PortMoved(service=service, port=port, to=to))

    def bound_elsewhere(self, service: str, ports: Collection[int]) -> None:
        """A service binds ports beside the one that it was given."""
        first = sorted(ports)
        others, count = (first[1:MOST_PORTS], len(first)) if len(first) > 1 else (None, None)
        self.tell(journal.OtherPortBound(service=service, port=first[0], others=others, count=count))

    def filter_refused(self, service: str) -> None:
        """A service wants to answer system calls itself, and the kernel does not let it: portsup does that already."""
        self.tell(journal.FilterRefused(service=service, why=FILTER_REFUSED, hint=HANDOFF_OFF))

    def bind_refused(self, service: str, port: int) -> None:
        """A strict service wanted a port that it was not given."""
        self.tell(journal.BindRefused(service=service, port=port))

    def bind_not_seen(self, service: str, why: str) -> None:
        """A service binds in a process that we may not look into, and cannot have its port that way."""
        self.tell(journal.BindNotSeen(service=service, why=why))

    def queue_dropped(self, service: str, why: str) -> None:
        """Clients that waited for a service were refused, so that its next process could have the socket it made."""
        self.tell(journal.QueueDropped(service=service, why=why))

    def queue_relayed(self, service: str, count: int, why_not: str) -> None:
        """So many clients that waited for a process that is gone were led to another one; and why others were not."""
        if count:
            self.tell(journal.QueueRelayed(service=service, count=count))
        if why_not:
            self.queue_dropped(service, why_not)

    def clients_unseen(self, service: str, why: str) -> None:
        """The system does not tell when a client of a service leaves, so it is never stopped for want of clients."""
        self.tell(journal.ClientsUnseen(service=service, why=why))

    def gpu_memory_unknown(self, why: str) -> None:
        """Nobody knows how much graphics memory there is, so it is not limited."""
        self.tell(journal.GpuMemoryUnknown(why=why))

    def clients_refused(self, service: str, within: float) -> None:
        """Clients that had called a service were refused, because it does not come up; `within` is in seconds."""
        self.tell(journal.ClientsRefused(service=service, within=within))

    def up(self, stack: str, instance: int, failed: Collection[str], took: float) -> None:
        """Every service has come as far as it will: the table of names and ports."""
        if self._foreground.manager is not None:
            self._foreground.manager.ready()
        rows = [("NAME", "PORT", "STATE", "URL")]
        services = {name: slot for name, slot in self._slots.items() if slot.number == 1}
        for name, slot in services.items():
            svc, ready = whole(slot), len(slot.shared.running())
            port, state = svc.port, svc.state
            if slot.is_wanted or state is not State.STOPPED:
                has_port = port is not None and state in SERVES
                url = url_of(slot.host, port or 0) if has_port else ""
                words = state if slot.replica is None else f"{state} {ready}/{len(slot.replicas)}"
                rows.append((name, str(port) if has_port else "-", words, url))
        has_ended = any(self._slots[name].service.state is State.EXITED for name in failed)
        self.say(f"\n{table(rows)}\n\n{stack_is_up(stack, instance, took, len(failed), has_ended)}")
        running = {row[0]: int(row[1]) for row in rows[1:] if row[1] != "-"}
        for name, port in running.items():
            if port in BLOCKED_BY_BROWSERS:
                self.say(bad_port(name, port, self._fetch_url(name, instance, running)), "note")

    def _fetch_url(self, name: str, instance: int, running: Mapping[str, int]) -> str:
        slot = self._slots[name]
        try:
            return fill(
                slot.spec.fetch_url,
                port=slot.service.port,
                host=slot.host,
                instance=instance,
                endpoints=running,
                urls={each: url_of(self._slots[each].host, running[each]) for each in running},
            )
        except PortsupError:  # it leads through a service that does not run
            return ""

    def stopping(self) -> None:
        """The stack ends; in words that is said by who wants it to.  Notices of what has led to it are sent before."""
        self._journal.put_off_no_more()
        if self._foreground.manager is not None:
            self._foreground.manager.stopping()

    def quote(self, slot: Slot) -> None:
        """What a service printed last."""
        lines = slot.log.tail(QUOTED_LINES)
        if lines:
            self.say("\n".join(f"  | {line}" for line in lines))
