"""Asks a process whether it is ready or well: by HTTP, by a TCP connection, or by running a command."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping

from supervisor.annotations import Any
from supervisor.config.spec import HttpAsk, Probe, ProbeKind
from supervisor.core.address import LOOPBACK
from supervisor.core.reasons import Cause, EndedBySignal, EndedWithCode, HttpAnswer, NoAnswer, Probed, Reason
from supervisor.daemon.processes.errands import Errands
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError
from supervisor.process.account import Account
from supervisor.process.readiness import GOOD, http_request, http_verdict
from supervisor.process.spawn import Command

EXEC_TIMEOUT = 10.0  # seconds one run of a readiness command may take
ASK_TIMEOUT = 2.0  # seconds one readiness question may take
AT_ONCE = 4096  # bytes of an answer that are looked at in the loop; a service can make 64 KiB take most of a second
MOST_OF_AN_ANSWER = 65536  # bytes that are read, so that the server can end the connection in peace


@dataclass(frozen=True, slots=True)
class Asker:
    """What a probe needs to know of the process it asks."""

    port: int | None
    working_dir: str
    environment: Mapping[str, str]
    errands: Errands
    account: Account | None = None
    host: str = LOOPBACK
    note: Callable[[int], None] = lambda port: None  # is told from which port of ours a probe connects


async def ask(probe: Probe, asker: Asker, timeout: float) -> Cause:
    """ "" if the answer is good, else what was wrong with it, within `timeout` seconds."""
    how: Callable[[], Awaitable[Cause | None]]
    match probe.kind:
        case ProbeKind.HTTP:
            how = lambda: _ask_http(probe, asker)  # noqa: E731
        case ProbeKind.TCP:
            how = lambda: _ask_tcp(asker)  # noqa: E731
        case ProbeKind.EXEC:
            how = lambda: _ask_command(probe.command, asker)  # noqa: E731
        case ProbeKind.STARTED | ProbeKind.LISTENING | ProbeKind.LOG | ProbeKind.NOTIFY:
            return ""
    try:
        async with asyncio.timeout(timeout):
            found: Cause | None = await how()
    except PortsupError as error:
        return str(error)
    except TimeoutError:
        found = NoAnswer(timeout)
    except (OSError, ImportError) as error:  # also where what reads an answer cannot be loaded
        found = getattr(error, "strerror", None) or str(error)
    return "" if found is None else Probed(_subject(probe), found)


def _subject(probe: Probe) -> str:
    match probe.kind:
        case ProbeKind.HTTP:
            return f"{probe.ask.method if probe.ask else 'GET'} {probe.target}"
        case ProbeKind.EXEC:
            return f"`{probe.command[0]}`"
    return ""


async def _ask_http(probe: Probe, asker: Asker) -> Reason | None:
    host, port = asker.host, asker.port or 0
    reader, writer = await asyncio.open_connection(host, port)
    asker.note(writer.get_extra_info("sockname")[1])
    try:
        ask = probe.ask or HttpAsk()
        writer.write(http_request(host, port, probe.target, ask.method, ask.headers))
        answer = b""
        while len(answer) < MOST_OF_AN_ANSWER and (data := await reader.read(MOST_OF_AN_ANSWER)):
            answer += data
        wanted = (ask.status or (GOOD,), ask.contains, ask.matches, ask.method)
        if len(answer) > AT_ONCE and (ask.contains or ask.matches):
            found = await asker.errands.found_out(lambda: _facts_of(http_verdict(answer, *wanted)))
            return HttpAnswer("unread") if found is None else HttpAnswer(**found) if found else None
        return http_verdict(answer, *wanted)
    finally:
        writer.close()


def _facts_of(verdict: HttpAnswer | None) -> dict[str, Any]:
    return {} if verdict is None else verdict.facts


async def _ask_tcp(asker: Asker) -> None:
    _, writer = await asyncio.open_connection(asker.host, asker.port or 0)
    asker.note(writer.get_extra_info("sockname")[1])
    writer.close()


async def _ask_command(command: tuple[str, ...], asker: Asker) -> Reason | None:
    null = os.open(os.devnull, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        code = await asker.errands.run(
            Command(command, asker.environment, asker.working_dir, null, null, account=asker.account)
        )
    finally:
        os.close(null)
    if code == 0:
        return None
    return EndedWithCode(code) if code > 0 else EndedBySignal(-code)
