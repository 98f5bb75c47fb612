"""`portsup wait`: returns once services are where a script needs them."""

import argparse
import time
from collections.abc import Iterator

from supervisor.api.goals import GOALS, hopeless, is_there
from supervisor.cli.live import Stderr, words_of
from supervisor.cli.rows import select
from supervisor.cli.target import connect
from supervisor.control.progress import Late
from supervisor.control.status import ServiceStatus
from supervisor.errors import ExitCode, NotFound, shell_code
from supervisor.words import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.client import Client

EXAMPLES = """\
  portsup wait api                              until it is ready
  portsup wait api worker --for healthy         until both are healthy
  portsup wait api --timeout 30s                at most 30 s
  portsup wait migrate --for exited             until it has ended

exit codes: 0 reached, 10 a service failed or ended and cannot reach it,
124 timed out, 4 no such service or no running instance; with --for exited
that of the service, or 128 plus the number of a signal"""

_LOOK_AGAIN = 0.1  # seconds, while there is no instance yet
_LIVE_AFTER = 0.5  # seconds: what is quicker does not flicker by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `wait`."""
    from supervisor.cli.parser import seconds

    parser.add_argument("services", nargs="+", metavar="SERVICE", help="the services")
    parser.add_argument("--for", dest="goal", choices=GOALS, default="ready", help="wait for this (default: ready)")
    parser.add_argument("--timeout", metavar="S", type=seconds, help="give up (exit 124) after S seconds")


def run(args: argparse.Namespace) -> int:
    """Wait; the exit code tells how it ended."""
    with Stderr(args.color) as screen:
        return _wait(args, screen)


def _wait(args: argparse.Namespace, screen: Stderr) -> int:
    begun = time.monotonic()
    deadline = None if args.timeout is None else begun + args.timeout
    for rows in _changes(_client(args, deadline), deadline, screen.is_live):
        chosen = select(rows, args.services)
        for row in chosen:
            if why := hopeless(row, args.goal):
                error = answers.hopeless(row.name, args.goal, why, answers.why_hint(row.name))
                error.exit_code = ExitCode.GAVE_UP
                raise error
        if all(is_there(row, args.goal) for row in chosen):
            if args.goal != "exited":
                return 0
            for row in chosen:
                screen.say(f"{row.name}: {ending(row)}")
            return max(exit_code(row) for row in chosen)
        late = [(row.name, row.state) for row in chosen if not is_there(row, args.goal)]
        if deadline is not None and time.monotonic() >= deadline:
            raise answers.waited_too_long(args.timeout, late, args.services)
        if (now := time.monotonic()) - begun > _LIVE_AFTER:
            screen.show(_lines(chosen, args.goal, now - begun, None if deadline is None else deadline - now))
    raise answers.ended_meanwhile(answers.HOW_IT_ENDED if args.goal == "exited" else answers.WAIT_LONGER)


def ending(row: ServiceStatus) -> str:
    """How a service ended, in words."""
    if row.state == "stopped":
        return answers.stopped(None if row.exit_code is None else exit_code(row))
    return answers.with_reason(row.state, row.reason)


def exit_code(row: ServiceStatus) -> int:
    """What a shell would see of the service's end."""
    return shell_code(row.exit_code or 0) or (int(ExitCode.GAVE_UP) if row.state == "failed" else 0)


def _lines(rows: list[ServiceStatus], goal: str, since: float, left: float | None) -> list[str]:
    """Whom it waits for, since when and how long still, in seconds."""
    late = [row for row in rows if not is_there(row, goal)]
    told = [answers.waits_for(row.name, goal, answers.with_reason(row.state, row.reason), left) for row in late]
    return words_of(Late(None, words, since, left) for words in told)


def _changes(client: "Client", deadline: float | None, is_live: bool) -> Iterator[tuple[ServiceStatus, ...]]:
    every = 0.2 if deadline is not None or is_live else None
    rows: tuple[ServiceStatus, ...] = ()
    for answer in client.watch(every):
        rows = rows if answer is None else answer.services
        if rows:
            yield rows


def _client(args: argparse.Namespace, deadline: float | None) -> "Client":
    """A client of the instance; with a time limit also of one that is just coming up."""
    while True:
        try:
            # A script goes on when this returns: a service of the same name in another project does not count.
            client = connect(args, changes=True)
            client.ping()
            return client
        except NotFound:
            if deadline is None or time.monotonic() >= deadline:
                raise
        time.sleep(_LOOK_AGAIN)
