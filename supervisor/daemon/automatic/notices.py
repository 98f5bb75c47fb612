"""Tells somebody who does not look what has happened, as a services.yaml asks for.

Whoever delivers it runs beside the loop, for a limited time; what goes wrong with that is an event, and nothing else.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from supervisor.config.spec import Probe, ProbeKind
from supervisor.core.journal import Fatal, NoticeNotSent
from supervisor.core.journal.event import Event
from supervisor.core.notices import Gathering, Notify, Occasion
from supervisor.daemon.checks.probes import Asker, ask
from supervisor.daemon.processes.errands import Errands
from supervisor.daemon.tasks import begin
from supervisor.errors import PortsupError
from supervisor.files.opening import explained
from supervisor.process.spawn import Command
from supervisor.words import notices as words
from supervisor.words.reasons import text_of

WITHIN = 30.0  # seconds that a delivery may take
AT_THE_END = 3.0  # the same when the instance ends
LONGEST = 1 << 16  # bytes of what is told of a delivery


class Surroundings(Protocol):
    """What the notices are of."""

    def tell(self, event: Event, /) -> object: ...


class Notices:
    """The notices of one instance."""

    def __init__(
        self, stack: str, directory: str, loop: asyncio.AbstractEventLoop, around: Surroundings, errands: Errands
    ) -> None:
        self._stack, self._directory = stack, directory
        self._loop, self._around, self._errands = loop, around, errands
        self._notify: Notify | None = None
        self._gathering = Gathering()
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self._told: set[tuple[str, str]] = set()

    def configure(self, notify: Notify | None) -> None:
        """Tells these from now on."""
        if notify != self._notify:
            self._notify = notify
            self._told.clear()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Something has happened; secrets are hidden in it."""
        if self._notify is None or not self._gathering.hear(event, self._notify, self._loop.time()):
            return
        if self._timer is None:
            self._timer = self._loop.call_at(self._gathering.due(self._loop.time()), self._send)
        if event["event"] == Fatal.event:  # nobody will be there in a moment
            self._send()

    async def finish(self) -> None:
        """Delivers what is still to be told, if that is quick."""
        if self._timer is not None:
            self._send()
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=AT_THE_END)
            self._sending.cancel()
            await asyncio.wait([self._sending])

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is not None and not self._sending.done():  # one at a time
            self._timer = self._loop.call_later(1.0, self._send)
            return
        notify = self._notify
        entries, left_out = self._gathering.take(notify or Notify(), self._loop.time())
        if notify is None or not entries:
            return
        is_bad = any(entry.occasion is not Occasion.READY for entry in entries)
        notice = {
            "title": words.title(self._stack, entries, left_out), "body": words.lines(entries, left_out),
            "type": "failure" if is_bad else "success",
        }  # fmt: skip
        self._sending = begin(self._deliver(notify, notice), self._loop)

    async def _deliver(self, notify: Notify, notice: dict[str, str]) -> None:
        found: set[tuple[str, str]] = set()
        if notify.to:
            found |= await self._to_targets(notify, notice)
        if notify.command and (why := await self._to_command(notify, notice)):
            found.add((notify.command[0], why))
        for to, why in sorted(found - self._told):
            self._around.tell(NoticeNotSent(to=to, why=why))
        self._told = found  # what has gone well meanwhile is told again if it goes wrong again

    async def _to_targets(self, notify: Notify, notice: dict[str, str]) -> set[tuple[str, str]]:
        source = sink = said = says = -1
        try:
            source, sink = os.pipe()
            said, says = os.pipe()
            os.set_blocking(sink, False)
            data = json.dumps({**notice, "to": list(notify.to)}).encode()
            if os.write(sink, data) < len(data):
                return {(words.ALL, words.TOO_LONG)}
            os.close(sink)
            sink = -1
            argv = [sys.executable, "-P", "-m", "supervisor.daemon.automatic.notifier"]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            null = os.open(os.devnull, os.O_WRONLY)
            try:
                async with asyncio.timeout(WITHIN):
                    await self._errands.run(Command(argv, environment, "/", says, null, stdin=source))
            finally:
                os.close(null)
            return _told_in(said)
        except TimeoutError:
            return _told_in(said) | {(words.SOMEBODY, words.no_answer(WITHIN))}
        except PortsupError as error:
            return {(words.ALL, str(error))}
        except OSError as error:
            return {(words.ALL, explained(error))}
        finally:
            for fd in (source, said, says, sink):
                if fd >= 0:
                    os.close(fd)

    async def _to_command(self, notify: Notify, notice: dict[str, str]) -> str:
        told = {"PORTSUP_NOTICE_TITLE": notice["title"], "PORTSUP_NOTICE": notice["body"]}
        asker = Asker(None, self._directory, {**os.environ, **told, "PORTSUP_STACK": self._stack}, self._errands)
        try:
            return text_of(await ask(Probe(ProbeKind.EXEC, command=notify.command), asker, WITHIN))
        except (PortsupError, OSError) as error:
            return str(error)


def _told_in(said: int) -> set[tuple[str, str]]:
    """Who could not be told, and why, as the process that delivers has written it into a pipe."""
    os.set_blocking(said, False)
    try:
        lines = os.read(said, LONGEST).decode(errors="replace").splitlines()
    except BlockingIOError:
        lines = []
    found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return {(str(each["to"]), str(each["why"])) for each in found if "to" in each}
