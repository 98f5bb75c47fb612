"""Tells the terminal and the journal what happens to the services, without their secrets."""

from collections.abc import Collection, Mapping
from pathlib import Path

from supervisor.config.placeholders import fill
from supervisor.control.progress import Late
from supervisor.core.address import url_of
from supervisor.core.browsers import BLOCKED_BY_BROWSERS
from supervisor.core.enumeration import some_of
from supervisor.core.service import Service
from supervisor.core.state import Result, State
from supervisor.daemon.console import herald
from supervisor.daemon.console.foreground import Foreground
from supervisor.daemon.service.slot import Slot
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.logs.journal import Journal

MOST_PORTS = 20  # that an event lists
QUOTED_LINES = 10  # of what a service printed last, when it failed
SAYS_EVERY = 0.2  # seconds between two of a service's own words that are written down
QUIET_ABOUT = (Result.DEPENDENCY, Result.LOCK_LOST, Result.NO_PORT)  # failures that its output does not explain


class Reporter:
    """What portsup says while it runs."""

    def __init__(self, front: Foreground, journal: Journal, slots: Mapping[str, Slot]) -> None:
        self._front = front
        self._journal = journal
        self._slots = slots
        self.redactor = journal.redactor  # keeps the same secrets out of what the services print
        if front.above is not None:
            front.above.follow(slots)
        self._has_told_no_handoff = False
        self._said_at: dict[str, float] = {}

    def say(self, words: str, level: str = "info") -> None:
        """Words for the person at the terminal."""
        self._front.say(self._journal.redact(words), level)

    def waiting(self, late: list[Late], is_note: bool = True) -> None:
        """Whom the start or the end of the stack waits for."""
        told = [replace(each, words=self._journal.redact(each.words)) for each in late]
        if self._front.is_live:
            self._front.show(told)
        elif is_note and told:
            self._front.say("\n".join(each.words for each in told))

    def changed(self, before: Service, after: Service, now: float) -> None:
        """A service changed; `now` is in monotonic seconds."""
        if self._front.above is not None:
            self._front.above.changed()
        slot = self._slots[after.name]
        if after.hook_trouble != before.hook_trouble and after.hook_trouble:
            self._journal.warning("hook failed", service=after.name, state=after.state, why=after.hook_trouble)
            self.say(f"{after.name}: {herald.readable(after.hook_trouble)}", "warning")
        took = slot.ran if slot.child is None else now - slot.child.spawned_at
        news = herald.news(before, after, slot.spec, took)
        if news is None or (news.event == "service says" and now < self._said_at.get(after.name, 0.0) + SAYS_EVERY):
            return
        if news.event == "service says":
            self._said_at[after.name] = now
        is_told = self._journal.log(news.level, news.event, service=after.name, state=after.state, **news.facts)
        if news.words and is_told:
            self.say(f"{after.name}: {news.words}", news.level)
        if news.event == "roll failed" or (news.level == "error" and after.result not in QUIET_ABOUT):
            self.quote(slot)

    def hook_runs(self, service: str, hook: str, pid: int) -> None:
        """A hook of a service was started."""
        self._journal.info("hook runs", service=service, hook=hook, pid=pid)

    def hook_done(self, service: str, hook: str, took: float) -> None:
        """It did what it had to, in so many seconds."""
        self._journal.info("hook done", service=service, hook=hook, took=round(took, 3))

    def hook_left(self, service: str, hook: str, pids: Collection[int]) -> None:
        """It ended, and others of its processes did not."""
        words = f"its {hook} left processes behind: they are killed (pid {', '.join(map(str, pids))})"
        self.say(f"{service}: {words}", "warning")
        self._journal.warning("hook left processes behind", service=service, hook=hook, pids=list(pids))

    def main_told(self, service: str, pid: int) -> None:
        """A service named the process that stands for it."""
        self._journal.info("main process told", service=service, pid=pid)

    def heir(self, service: str, pid: int, why: str) -> None:
        """The main process of a service has ended, and another one stands for it."""
        self.say(f"{service}: goes on as pid {pid}, {why}")
        self._journal.info("main process told", service=service, pid=pid, why=why)

    def abandoned(self, service: str, pids: Collection[int]) -> None:
        """What is left of a service is none of its any more, so that it can be started."""
        left = f"pid {', '.join(map(str, pids))}" if pids else "processes that portsup does not find"
        self.say(f"{service}: started although {left} survived SIGKILL", "warning")
        self._journal.warning("processes abandoned", service=service, pids=list(pids))

    def main_refused(self, service: str, pid: int) -> None:
        """The process that it named is not one of its own."""
        self._journal.warning("main process refused", service=service, pid=pid)

    def notice_refused(self, service: str, pid: int, name: str) -> None:
        """A stranger spoke in the name of a service."""
        self._journal.warning("notice refused", service=service, pid=pid, name=name)

    def notice_unreadable(self, service: str, size: int) -> None:
        """A service said what nobody understands, in so many bytes."""
        self._journal.warning("notice unreadable", service=service, bytes=size)

    def skipped(self, service: str, port: int, skipped: Collection[tuple[int, str]]) -> None:
        """A service got another port than the first of its pool."""
        if self._journal.warning("port skipped", service=service, port=port, skipped=dict(skipped)):
            self.say(herald.fallback(service, port, skipped), "warning")

    def reaped(self, service: str, pids: Collection[int]) -> None:
        """What an earlier run left on a service's ports was ended."""
        self.say(f"{service}: ended what an earlier run left behind (pid {', '.join(map(str, pids))})", "warning")
        self._journal.warning("orphans reaped", service=service, pids=list(pids))

    def drifted(self, service: str, port: int, elsewhere: Collection[int]) -> None:
        """A service listens, but not on the port that it was given."""
        seen = some_of(elsewhere)
        spec = self._slots[service].spec
        hint = f"make it listen on ${spec.port_env}, or put {{port}} into its command"
        listed = sorted(elsewhere)[:MOST_PORTS]
        if self._journal.warning("wrong port", service=service, port=port, elsewhere=listed, count=len(elsewhere)):
            self.say(f"{service}: listens on {seen} instead of {port}; {hint}", "warning")

    def no_handoff(self, why: str) -> None:
        """Ports are not handed over here; `why` is empty where nobody wants it.  Said once."""
        if why and not self._has_told_no_handoff:
            self._has_told_no_handoff = True
            self._journal.warning("no handoff", why=why)

    def rendered(self, file: Path) -> None:
        """A file of `render` has another content."""
        self._journal.info("file rendered", file=str(file))

    def not_rendered(self, file: Path, why: str) -> None:
        """A file of `render` cannot be written."""
        self.say(f"cannot render `{file}`: {why}", "warning")
        self._journal.warning("file not rendered", file=str(file), why=why)

    def on_change_failed(self, program: str, why: str) -> None:
        """The command that follows a rendered file was of no use."""
        self.say(f"on_change: {why}", "warning")
        self._journal.warning("on_change failed", program=program, why=why)

    def moved(self, service: str, port: int, to: int | None) -> None:
        """A service bound a port of its own choice, and got the one that it was given instead."""
        self._journal.info("port moved", service=service, port=port, to=to)

    def bound_elsewhere(self, service: str, ports: Collection[int]) -> None:
        """A service binds ports beside the one that it was given."""
        first = sorted(ports)
        more = {"others": first[1:MOST_PORTS], "count": len(first)} if len(first) > 1 else {}
        self._journal.info("other port bound", service=service, port=first[0], **more)

    def filter_refused(self, service: str) -> None:
        """A service wants to answer system calls itself, and the kernel does not let it: portsup does that already."""
        why = "it installs a seccomp listener of its own, which the kernel refuses (EBUSY) beneath that of the handoff"
        hint = "set `handoff: off` for it"
        if self._journal.warning("seccomp listener refused", service=service, why=why, hint=hint):
            self.say(f"{service}: {why}; {hint}", "warning")

    def bind_refused(self, service: str, port: int) -> None:
        """A strict service wanted a port that it was not given."""
        if self._journal.warning("bind refused", service=service, port=port):
            self.say(f"{service}: may not bind port {port} (`bind: strict`)", "warning")

    def bind_not_seen(self, service: str, why: str) -> None:
        """A service binds in a process that we may not look into, and cannot have its port that way."""
        self.say(f"{service}: portsup may not look into its process ({why}); set `handoff: off` for it", "warning")
        self._journal.warning("bind not seen", service=service, why=why)

    def queue_dropped(self, service: str, why: str) -> None:
        """Clients that waited for a service were refused, so that its next process could have the socket it made."""
        self._journal.warning("queue dropped", service=service, why=why)

    def up(self, stack: str, instance: int, failed: Collection[str], took: float) -> None:
        """Every service has come as far as it will: the table of names and ports."""
        if self._front.above is not None:
            self._front.above.ready()
        rows = [("NAME", "PORT", "STATE", "URL")]
        for name, slot in self._slots.items():
            port, state = slot.service.port, slot.service.state
            if slot.is_wanted or state is not State.STOPPED:
                has_port = port is not None and state is State.RUNNING
                url = url_of(slot.host, port or 0) if has_port else ""
                rows.append((name, str(port) if has_port else "-", state, url))
        has_ended = any(self._slots[name].service.state is State.EXITED for name in failed)
        fate = "failed or ended" if has_ended else "failed"
        end = f"is up after {took:.1f} s" if not failed else f"is up, but {len(failed)} of its services {fate}"
        self.say(f"\n{herald.table(rows)}\n\nstack `{stack}` instance {instance} {end}")
        running = {row[0]: int(row[1]) for row in rows[1:] if row[1] != "-"}
        for name, port in running.items():
            if port in BLOCKED_BY_BROWSERS:
                self.say(herald.bad_port(name, port, self._fetch_url(name, instance, running)), "note")

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
        """The stack ends; in words that is said by who wants it to."""
        if self._front.above is not None:
            self._front.above.stopping()

    def quote(self, slot: Slot) -> None:
        """What a service printed last."""
        lines = slot.log.tail(QUOTED_LINES)
        if lines:
            self.say("\n".join(f"  | {line}" for line in lines))
